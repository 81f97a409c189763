"""Recipes of the rows of interventions."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import stories
from pictures import picture
from stories import Json, done
from system import Person, System
from uuid_utils.compat import uuid7

from recipes.recipe import Alone, Recipe, told
from recipes.scene import Scene, Side
from sav_chassis.identity import Links
from sav_contracts.actor import MANAGERS, Role
from sav_interventions.online.sandbox import Sandbox
from sav_ops.demo.agreement import ESTIMATED


async def planned(scene: Scene, side: Side) -> Json:
    _, visit = await stories.assigned(side.client, scene.manager, side.technician)
    return visit


def described(story: Callable[[Person, Person, Person], Awaitable[Json]]) -> Alone:
    """A visit of the side's technician; for managers that of one who takes no visits any more."""

    async def alone(scene: Scene, role: Role) -> tuple[Person, Json]:
        technician = await scene.system.technician() if role in MANAGERS else scene.near.technician
        record = await story(scene.near.client, scene.manager, technician)
        if role in MANAGERS:
            done(await scene.manager.ask("PATCH", f"/technicians/{technician.id}", json={"active": False}))
        return scene.who(role), record

    return alone


def an_act(visit: Json) -> Json:
    accepted = {"intervention_id": visit["id"], "to": "accepted"}
    return {"acts": [{"id": str(uuid7()), "at": datetime.now(UTC).isoformat(), "move": accepted}]}


async def credit(scene: Scene, side: Side) -> Json:
    """Money on account of this side's client, who has an invoice to pay."""
    paid = {"method": "transfer", "amount": "1.00"}
    kept = done(await scene.manager.post(f"/clients/{side.client.id}/payments", paid), 201)
    return kept | {"an_invoice": side.seen["invoice"]["id"]}


async def checkout(scene: Scene, side: Side) -> Json:
    """What this side's client is about to pay online."""
    return done(await side.client.post(f"/invoices/{side.seen['invoice']['id']}/checkout"), 201)


def its_news(payment: Json) -> Json:
    return {"id": str(uuid7()), "kind": "failed", "payment_id": payment["id"], "reason": "card_declined"}


def signed(scene: Scene, text: str) -> dict[str, str]:
    signature = Sandbox(scene.system.settings).sign(text, datetime.now(UTC))
    return {"Content-Type": "application/json", "Payment-Signature": signature}


THIS_YEAR = {"from": f"{datetime.now(UTC):%Y}-01-01", "to": f"{datetime.now(UTC):%Y}-12-31"}

WRITTEN: Json = {"nature": "Circulateur à remplacer", "lines": ESTIMATED}


async def to_answer(scene: Scene, side: Side) -> Json:
    """An estimate that was sent, with what stands in its link."""
    return await linked(scene.system, await told(stories.offered)(scene, side), "estimate", "answer_grant")


async def to_withdraw(scene: Scene, side: Side) -> Json:
    """An accepted estimate, with what stands in the link to withdraw."""
    return await linked(scene.system, await told(stories.agreed)(scene, side), "withdraw", "withdrawal_grant")


async def its_paper(scene: Scene, side: Side) -> Json:
    """The invoice of the side's client, with what stands in the link of its mail."""
    invoice = side.seen["invoice"]
    return invoice | {"token": Links(scene.system.settings.link_secret).token("paper", UUID(invoice["id"]))}


async def linked(system: System, estimate: Json, purpose: str, column: str) -> Json:
    found = f"SELECT {column} AS grant FROM estimate WHERE id = $1"
    [row] = await system.sql("interventions", found, estimate["id"])
    return estimate | {"token": Links(system.settings.link_secret).token(purpose, row["grant"])}


DEPOSIT: Json = {
    "percent": 30,
    "lines": [
        {"kind": "other", "description": "Chaudière", "quantity": 1, "unit": "piece", "unit_price": "2000"}
    ],
}
RECIPES: dict[str, Recipe] = {
    "POST /interventions/{intervention_id}/estimates": Recipe("intervention", lambda _: WRITTEN, planned),
    "POST /estimates/{estimate_id}/validate": Recipe("estimate", fresh=told(stories.estimated)),
    "POST /estimates/{estimate_id}/accept": Recipe("estimate", fresh=told(stories.offered)),
    "POST /estimates/{estimate_id}/acceptance": Recipe(
        "estimate", fresh=told(stories.offered), files={"paper": ("signe.jpg", picture())}
    ),
    "POST /estimates/{estimate_id}/refuse": Recipe(
        "estimate", lambda _: {"reason": "trop cher"}, told(stories.offered)
    ),
    "POST /estimates/{estimate_id}/deposits": Recipe(
        "estimate", lambda _: {"percent": 30}, told(stories.agreed)
    ),
    "GET /estimate/{token}": Recipe("estimate", fresh=to_answer),
    "POST /estimate/{token}": Recipe("estimate", lambda _: {"accept": True}, to_answer),
    "POST /estimates/{estimate_id}/withdraw": Recipe("estimate", fresh=told(stories.agreed)),
    "POST /estimates/{estimate_id}/withdrawal": Recipe("estimate", fresh=told(stories.agreed)),
    "POST /estimates/{estimate_id}/withdraw/confirm": Recipe("estimate", fresh=told(stories.withdrawing)),
    "GET /paper/{token}": Recipe("invoice", fresh=its_paper),
    "POST /paper/{token}": Recipe("invoice", fresh=its_paper),
    "GET /withdrawal/{token}": Recipe("estimate", fresh=to_withdraw),
    "POST /withdrawal/{token}": Recipe("estimate", fresh=to_withdraw),
    # A further one, after one that is completed.
    "POST /interventions": Recipe(
        "reclamation",
        lambda found: {"reclamation_id": found.get("reclamation_id", found["id"])},
        told(stories.reported),
    ),
    "POST /interventions/batch": Recipe("intervention", an_act, planned),
    "POST /interventions/{intervention_id}/signatures": Recipe(
        "intervention", files={"signature": ("a.png", picture("PNG"))}
    ),
    "POST /interventions/{intervention_id}/moves": Recipe(
        "intervention", lambda _: {"to": "accepted"}, planned
    ),
    "POST /interventions/{intervention_id}/help": Recipe(
        "intervention", lambda _: {"text": "la vanne ne ferme plus"}, planned
    ),
    "PUT /interventions/{intervention_id}/work": Recipe(
        "intervention",
        lambda _: {"solution": "purgé", "labour": [{"description": "Purge", "minutes": 20}]},
        alone=described(stories.at_work),
    ),
    "POST /interventions/{intervention_id}/photos": Recipe(
        "intervention", files={"photos": ("a.jpg", picture())}
    ),
    "POST /interventions/{intervention_id}/warranty": Recipe(
        "intervention", lambda _: {"parts": 100, "labour": 50, "travel": 0, "reason": "un geste"}
    ),
    "PUT /interventions/{intervention_id}/report": Recipe(
        "report",
        lambda _: {"findings": "joint usé", "work_done": "joint changé"},
        alone=described(stories.at_work),
    ),
    "POST /interventions/{intervention_id}/report/sign": Recipe(
        "report",
        lambda _: {"signed_by": "Léa Bernard"},
        files={"signature": ("a.png", picture("PNG"))},
        alone=described(stories.reported),
    ),
    "POST /interventions/{intervention_id}/report/submit": Recipe("report", alone=described(stories.signed)),
    "POST /interventions/{intervention_id}/report/validate": Recipe("report", fresh=told(stories.submitted)),
    "POST /interventions/{intervention_id}/report/send-back": Recipe(
        "report", lambda _: {"reason": "photo illisible"}, told(stories.submitted)
    ),
    "POST /interventions/{intervention_id}/report/archive": Recipe("report", fresh=told(stories.closed)),
    "PATCH /technicians/{technician_id}": Recipe("technician", lambda _: {"zone": []}),
    "PATCH /invoices/{invoice_id}": Recipe(
        "invoice", lambda _: {"buyer_name": "Léa Bernard"}, told(stories.drafted)
    ),
    "POST /invoices/{invoice_id}/discard": Recipe(
        "invoice", lambda _: {"reason": "un geste"}, told(stories.drafted)
    ),
    "POST /invoices/{invoice_id}/issue": Recipe("invoice", fresh=told(stories.drafted)),
    "POST /interventions/{intervention_id}/deposits": Recipe("intervention", lambda _: DEPOSIT, planned),
    "POST /interventions/{intervention_id}/invoices": Recipe("intervention", fresh=told(stories.unbilled)),
    # A cent at a time, so that much is left.
    "POST /invoices/{invoice_id}/credit": Recipe(
        "invoice", lambda _: {"lines": [{"line": 1, "amount": "0.01"}], "reason": "un geste"}
    ),
    "GET /clients/{client_id}/statement": Recipe("client"),
    "GET /receivables": Recipe(),
    "POST /invoices/{invoice_id}/payments": Recipe("invoice", lambda _: {"method": "cash", "amount": "0.01"}),
    "POST /payments/{payment_id}/refund": Recipe(
        "payment", lambda _: {"amount": "0.01", "reason": "un geste"}
    ),
    "POST /invoices/{invoice_id}/checkout": Recipe("invoice"),
    "POST /webhooks/payments": Recipe("payment", its_news, checkout, signs=signed),
    "GET /sandbox/checkout/{checkout_id}": Recipe("payment", fresh=checkout),
    "POST /sandbox/checkout/{checkout_id}": Recipe("payment", lambda _: {"outcome": "failed"}, checkout),
    "POST /clients/{client_id}/payments": Recipe("client", lambda _: {"method": "card", "amount": "0.02"}),
    "POST /client-credits/{client_credit_id}/use": Recipe(
        "client_credit",
        lambda found: {"invoice_id": found.get("an_invoice", found["id"]), "amount": "0.01"},
        credit,
    ),
    "POST /client-credits/{client_credit_id}/refund": Recipe(
        "client_credit", lambda _: {"amount": "0.01", "reason": "trop-perçu"}, credit
    ),
    "GET /ledger": Recipe(),
    "GET /journals": Recipe(body=lambda _: THIS_YEAR),
    "GET /e-reporting": Recipe(body=lambda _: THIS_YEAR),
}
