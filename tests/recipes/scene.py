"""Two clients with their technicians, and a record of every kind that names them."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import stories
from eventually import eventually
from stories import Json, done, items, opened, voice
from system import Person, System
from uuid_utils.compat import uuid7

from sav_contracts.actor import MANAGERS, Role
from sav_ops.demo import journey
from sav_ops.demo.journey import BOILER, PUMP, Cast, Story

IMAGE = ("chaudiere.png", journey.picture("Chaudière", "PNG"), "image/png")


@dataclass
class Side:
    """A client, the technician who works for them, and a record of every kind that names them, as managers see it."""

    client: Person
    technician: Person
    seen: dict[str, Json] = field(default_factory=dict)

    @property
    def records(self) -> dict[str, str]:
        """The ids of the records, by kind."""
        return {kind: record["id"] for kind, record in self.seen.items()}


@dataclass
class Scene:
    """Two sides that have nothing to do with each other, those who see both; of each a message and a session."""

    system: System
    manager: Person
    admin: Person
    near: Side
    far: Side
    messages: dict[str, Json] = field(default_factory=dict)
    sessions: dict[str, Json] = field(default_factory=dict)
    # The manager's and the admin's.
    filters: dict[Role, Json] = field(default_factory=dict)

    def who(self, role: Role) -> Person:
        """Somebody in this role, of the near side where there are two."""
        return {
            Role.ANYONE: self.system.visitor(),
            Role.CLIENT: self.near.client,
            Role.TECHNICIAN: self.near.technician,
            Role.MANAGER: self.manager,
            Role.ADMIN: self.admin,
        }[role]

    def people(self) -> list[Person]:
        sides = (self.near, self.far)
        return [self.manager, self.admin, *(who for side in sides for who in (side.client, side.technician))]

    def record(self, side: Side, role: Role, kind: str) -> Json:
        """The side's record; of messages, sessions and `self` that of a person of this role on that side."""
        if kind == "saved_filter":
            mine, others = (Role.ADMIN, Role.MANAGER) if role is Role.ADMIN else (Role.MANAGER, Role.ADMIN)
            return self.filters[mine if side is self.near else others]
        who = self._whose(side, role)
        own = {"notification": self.messages, "session": self.sessions, "self": {who.id: {"id": who.id}}}
        return own[kind][who.id] if kind in own else side.seen[kind]

    def _whose(self, side: Side, role: Role) -> Person:
        if role in MANAGERS and side is self.near:
            return self.who(role)
        return side.technician if role is Role.TECHNICIAN else side.client


async def scene(system: System) -> Scene:
    """Everybody of the cast. On each side one visit is over and invoiced, and one is planned."""
    manager, admin = await system.manager(), await system.admin()
    system.staying.add(manager.id)
    for who in (manager, admin):
        # An invitation that was accepted at once may never have left; this is a message that does.
        done(await system.visitor().post("/auth/password-reset", {"email": who.email}), 202)
    for article in (BOILER, PUMP):
        # Both sides look for them at once.
        await journey.in_catalogue(voice(manager, "Marie Laurent"), article)
    near, far = await asyncio.gather(
        _side(system, manager, admin, "Karim Haddad"), _side(system, manager, admin, "Sofia Martin")
    )
    # One after the other: who sets the same policy at once is asked to try again.
    for side in (near, far):
        side.seen["policy"] = done(await admin.ask("PUT", "/policies/cut_offs", json={"value": promised()}))
    found = Scene(system, manager, admin, near, far)
    for role in MANAGERS:
        urgent = {"name": "Urgences", "list": "/reclamations", "query": "priority=critical"}
        found.filters[role] = done(await found.who(role).ask("PUT", "/me/filters", json=urgent))
    for who in found.people():
        [found.messages[who.id], *_] = await eventually(partial(_messages, who), 20)
        [found.sessions[who.id], *_] = await items(who, "/me/sessions")
    return found


async def _side(system: System, manager: Person, admin: Person, technician_name: str) -> Side:
    side = Side(await system.client(), await system.technician(technician_name))
    cast = Cast(
        client=voice(side.client, "Léa Bernard"),
        technician=voice(side.technician, technician_name),
        manager=voice(manager, "Marie Laurent"),
        admin=voice(admin, "Alex Dubois"),
    )
    over = await journey.registered(cast, bought=date.today() - timedelta(days=6 * 365))
    await journey.reported(cast, over)
    await journey.planned(cast, over)
    await journey.repaired(cast, over)
    invoice = await _billed(cast, over)
    await cast.client.awaits("/feedback", intervention_id=over.visit["id"])
    service = await _serviced(cast, over)
    planned = Story(product=over.product)
    await journey.reported(cast, planned)
    await journey.planned(cast, planned)
    conflict = await _too_late(cast, side, planned)
    side.seen = await _seen(manager, side, over, planned, invoice) | {
        "conflict": conflict,
        "attestation": service,
    }
    # As an admin sees them: nobody else does.
    cost = f"/articles/{side.seen['article']['id']}/cost"
    side.seen["article_cost"] = done(await admin.ask("PUT", cost, json={"price": "112.00"}))
    side.seen["invoice_margin"] = await eventually(partial(_margin, admin, invoice))
    return side


async def away(manager: Person, technician: Person) -> Json:
    """An absence on a day on which nobody wants anything of anybody."""
    far = datetime.now(UTC).date() + timedelta(days=360)
    wanted = {"first_day": far.isoformat(), "cause": "training", "note": "Formation gaz."}
    return done(await manager.post(f"/technicians/{technician.id}/absences", wanted), 201)


async def _margin(admin: Person, invoice: Json) -> Json | None:
    answer = await admin.get(f"/invoices/{invoice['id']}/margin")
    return done(answer) if answer.status_code == 200 else None


def promised() -> Json:
    """Another value each time, which no test minds."""
    return {"feedback_days": 20 + secrets.randbelow(300)}


async def _billed(cast: Cast, story: Story) -> Json:
    """An invoice with its document, of which a part is paid."""
    draft = await cast.manager.awaits("/invoices", intervention_id=story.visit["id"], status="draft")
    path = f"/invoices/{draft['id']}"
    await cast.manager.does("issues the invoice", f"POST {path}/issue")
    payment = {"method": "cash", "amount": "10.00"}
    await cast.manager.does("records a payment", f"POST {path}/payments", payment, status=201)
    credit = {"lines": [{"line": 1, "amount": "0.01"}], "reason": "Geste commercial."}
    await cast.manager.does("credits a cent", f"POST {path}/credit", credit, status=201)
    await journey.printed(cast.client, draft["id"])
    return await cast.manager.does("reads the invoice", f"GET {path}")


async def _serviced(cast: Cast, story: Story) -> Json:
    """The attestation of a service, with its paper."""
    visit = await stories.serviced(cast, story.product)
    return await stories.attested(cast.manager, visit)


async def _too_late(cast: Cast, side: Side, planned: Story) -> Json:
    """The conflict of a visit that was planned at a time which another one has."""
    claim = f"/reclamations/{(await opened(side.client))['id']}"
    await cast.manager.does("qualifies it", f"POST {claim}/qualify", {"priority": "low"})
    booked = (await cast.manager.sees("/appointments", reclamation_id=planned.claim["id"]))[0]
    slot = {"start": booked["start"], "end": booked["end"]}
    taken = {"technician_id": side.technician.id, "slot": slot}
    again = await cast.manager.does("assigns it", f"POST {claim}/assign", taken)
    return await cast.manager.awaits("/conflicts", reclamation_id=again["id"])


async def _seen(manager: Person, side: Side, over: Story, planned: Story, invoice: Json) -> dict[str, Json]:
    """A record of every kind, by kind."""

    async def one(path: str) -> Json:
        return done(await manager.get(path))

    async def listed(path: str, **parameters: Any) -> Json:
        return (await items(manager, path, **parameters))[0]

    article = await _article(manager)
    await _needed(manager, side, planned, article)
    stocktake = await _counted(manager, article)
    claim, visit = planned.claim["id"], planned.visit["id"]
    await _written(manager, side, claim)
    technician = f"/technicians/{side.technician.id}"
    return {
        "article": article,
        "article_import": await _import(manager),
        "stock_level": await one(f"/articles/{article['id']}/stock"),
        "reservation": await listed("/reservations", for_id=claim),
        "stocktake": stocktake,
        "product": await one(f"/products/{over.product['id']}"),
        "client": await one(f"/clients/{side.client.id}"),
        "account": await one(f"/users/{side.client.id}"),
        "reclamation": await one(f"/reclamations/{claim}"),
        "order": await _ordered(side, claim, article),
        "comment": await listed(f"/reclamations/{claim}/comments"),
        "note": await listed(f"/reclamations/{claim}/notes"),
        "photo": await listed(f"/reclamations/{claim}/photos"),
        "intervention": await one(f"/interventions/{visit}"),
        "report": await _printed(manager, over.visit["id"]),
        "visit_photo": await listed(f"/interventions/{over.visit['id']}/photos"),
        "estimate": await _estimated(manager, over.visit["id"]),
        "invoice": invoice,
        "payment": await listed("/payments", invoice_id=invoice["id"]),
        "client_credit": await _on_account(manager, side),
        "closing": await eventually(partial(_closed, manager), 40),
        "credit_note": await _credited(manager, invoice),
        "technician": await one(technician),
        "appointment": await listed("/appointments", reclamation_id=claim),
        "earlier_visit": done(await manager.ask("PUT", f"/reclamations/{claim}/earlier")),
        "working_hours": await one(f"{technician}/hours"),
        "absence": await away(manager, side.technician),
        "feedback": await listed("/feedback", intervention_id=over.visit["id"]),
    }


async def _on_account(manager: Person, side: Side) -> Json:
    """What a client paid before there is an invoice."""
    paid = {"method": "transfer", "amount": "50.00"}
    return done(await manager.post(f"/clients/{side.client.id}/payments", paid), 201)


async def _closed(manager: Person) -> Json | None:
    """A closed day with its archive: the one before the first payment ever."""
    found = await items(manager, "/closings", period="day")
    return next((one for one in found if one["archive"]), None)


async def _printed(manager: Person, visit: str) -> Json:
    """The report of a visit, once its PDF is made."""

    async def made() -> Json | None:
        report = done(await manager.get(f"/interventions/{visit}/report"))
        return report if report["document"] else None

    return await eventually(made, 20)


async def _estimated(manager: Person, visit: str) -> Json:
    """The estimate of a visit, once it was printed as it was accepted."""

    async def made() -> Json | None:
        [estimate] = await items(manager, "/estimates", intervention_id=visit)
        return estimate if estimate["document"] else None

    return await eventually(made, 20)


async def _credited(manager: Person, invoice: Json) -> Json:
    """The credit note of an invoice, once its PDF is made."""

    async def made() -> Json | None:
        [note] = await items(manager, "/credit-notes", invoice_id=invoice["id"])
        return note if note["document"] else None

    return await eventually(made, 20)


async def _written(manager: Person, side: Side, claim: str) -> None:
    """A comment of the client, and a note of the manager."""
    path = f"/reclamations/{claim}"
    done(await side.client.post(f"{path}/comments", {"text": "Le bruit revient."}), 201)
    done(await manager.post(f"{path}/notes", {"text": "Chien méchant."}), 201)


async def _article(manager: Person) -> Json:
    """One that only this side knows, with a picture."""
    reference = f"LUM-{str(uuid7())[-12:]}"
    article = done(await manager.post("/articles", BOILER | {"reference": reference}), 201)
    return done(await manager.ask("PUT", f"/articles/{article['id']}/image", files={"image": IMAGE}))


async def _needed(manager: Person, side: Side, planned: Story, article: Json) -> None:
    """The visit that is planned waits for a part."""
    path = f"/reclamations/{planned.claim['id']}"
    needs = {"parts": [{"article_id": article["id"], "quantity": 2}]}
    listed = done(await side.technician.ask("PUT", f"{path}/parts", json=needs))
    done(await manager.post(f"{path}/parts/validate", {"edition": listed["parts_edition"]}))

    async def waits() -> bool:
        [part] = done(await manager.get(path))["parts"]
        return bool(part["state"] == "back_ordered")

    await eventually(waits, 20)


async def _ordered(side: Side, claim: str, article: Json) -> Json:
    """An order of the technician's for the visit that is planned; its client sees it too."""
    lines = [{"article_id": article["id"], "quantity": 1}]
    order = {"purpose": "repair", "reclamation_id": claim, "lines": lines}
    return done(await side.technician.post("/orders", order), 201)


async def _counted(manager: Person, article: Json) -> Json:
    """There are ten of it."""
    counts = [{"article_id": article["id"], "counted": 10}]
    taken = {"counted_at": datetime.now(UTC).isoformat(), "counts": counts}
    return done(await manager.post("/stock/stocktakes", taken), 201)


async def _import(manager: Person) -> Json:
    """One that is over, with a line that is wrong."""
    table = ("tarif.csv", f"reference\r\nX-{uuid7()}\r\n".encode())
    begun = done(await manager.ask("POST", "/articles/import", files={"file": table}), 202)

    async def over() -> Json | None:
        found: Json = done(await manager.get(f"/articles/imports/{begun['id']}"))
        return found if found["report"] else None

    return await eventually(over, 40)


async def _messages(who: Person) -> list[Json]:
    """Those that have left."""
    return await items(who, "/notifications", user_id=who.id, status="kept_locally")
