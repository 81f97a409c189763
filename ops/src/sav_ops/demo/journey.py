"""The main use of the product as a story of four people over HTTP: from an article to a paid invoice."""

import asyncio
import io
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from PIL import Image, ImageDraw
from uuid_utils.compat import uuid7

from sav_ops.demo import agreement

Json = dict[str, Any]
Files = list[tuple[str, tuple[str, bytes, str]]]

# Seconds that a change may take to appear in the lists of the next person.
PATIENCE = 60.0

BOILER: Json = {
    "reference": "LUM-24-C",
    "name": "Chaudière murale Lumea 24",
    "brand": "Lumea",
    "model": "24 C",
    "family": "heating",
    "description": "Chaudière murale gaz à condensation, 24 kW, chauffage et eau chaude.",
    "fuel": "gas",
    "heats": "space_and_water",
    "power_kw": "24.00",
    "price": "2190.00",
    "vat_class": "standard",
    "warranty_parts_months": 36,
    "warranty_labour_months": 24,
}
PUMP: Json = {
    "reference": "CIR-25-60",
    "name": "Circulateur 25-60",
    "brand": "Lumea",
    "family": "part",
    "description": "Circulateur de chauffage 25-60, 180 mm.",
    "price": "186.40",
    "vat_class": "standard",
    "minimum_stock": 2,
}
PLACE: Json = {
    "address": "3 rue des Lilas",
    "postcode": "69003",
    "city": "Lyon",
    "access_notes": "Code 42B, deuxième étage",
    "dwelling_over_two_years": True,
}


class Unexpected(Exception):
    """A request got another answer than the story expects."""


@dataclass(frozen=True)
class Act:
    """One request of a person, and its answer; the events that it causes carry `correlation_id`."""

    who: str
    role: str
    what: str
    request: str
    status: int
    correlation_id: UUID
    answer: Json


@dataclass
class Player:
    """A person who is signed in; `heard` is called with every act."""

    http: httpx.AsyncClient
    name: str
    role: str
    id: str
    token: str
    heard: Callable[[Act], Awaitable[None]]

    async def does(
        self,
        what: str,
        request: str,
        body: Any = None,
        files: Files | None = None,
        data: Json | None = None,
        status: int = 200,
    ) -> Json:
        """Send a request (`POST /reclamations`) with a JSON body or a form; `Unexpected` if the status is another."""
        conversation = uuid7()
        method, _, path = request.partition(" ")
        sent: Json = {"files": files, "data": data or {}} if files else {"json": body} if body else {}
        answer = await self.http.request(
            method, f"/api{path}", headers=self.headers() | {"X-Request-ID": str(conversation)}, **sent
        )
        if answer.status_code != status:
            raise Unexpected(
                f"{self.name} – {what}: {request} was answered {answer.status_code} {answer.text}"
            )
        content = (
            answer.json() if "json" in answer.headers.get("content-type", "") else {"bytes": answer.content}
        )
        await self.heard(Act(self.name, self.role, what, request, status, conversation, content))
        return dict(content)

    async def sees(self, path: str, **parameters: Any) -> list[Json]:
        """Return the first page of a list; this is no act."""
        answer = await self.http.get(f"/api{path}", params=parameters, headers=self.headers())
        if answer.status_code != 200:
            raise Unexpected(f"{self.name}: GET {path} was answered {answer.status_code} {answer.text}")
        return list(answer.json()["items"])

    async def awaits(self, path: str, **parameters: Any) -> Json:
        """Wait for a record in a list; return the first. `Unexpected` after `PATIENCE` seconds."""
        until = time.monotonic() + PATIENCE
        while not (found := await self.sees(path, **parameters)):
            if time.monotonic() > until:
                raise Unexpected(f"{self.name} sees no {path} {parameters} after {PATIENCE:.0f} s")
            await asyncio.sleep(0.05)
        return found[0]

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Cast:
    """The four people of the story."""

    client: Player
    technician: Player
    manager: Player
    admin: Player


@dataclass
class Story:
    """The records of a story, as they were last seen."""

    product: Json = field(default_factory=dict)
    claim: Json = field(default_factory=dict)
    visit: Json = field(default_factory=dict)
    invoice: Json | None = None
    pdf: bytes = b""


async def outside_warranty(cast: Cast) -> Story:
    """The covers have ended: the client pays."""
    story = await registered(cast, bought=date.today() - timedelta(days=6 * 365))
    await reported(cast, story)
    await planned(cast, story)
    await repaired(cast, story)
    await paid(cast, story)
    await ended(cast, story)
    return story


async def under_warranty(cast: Cast) -> Story:
    """A warranty pays everything: there is no invoice."""
    story = await registered(cast, bought=date.today() - timedelta(days=100))
    await reported(cast, story)
    await planned(cast, story)
    await repaired(cast, story)
    await ended(cast, story)
    return story


async def registered(cast: Cast, bought: date) -> Story:
    """Create the article and a product of it; have its proof of purchase accepted."""
    boiler = await in_catalogue(cast.manager, BOILER)
    await cast.client.does("browses the catalogue", "GET /articles?q=chaudière")
    product = await cast.client.does(
        "registers a boiler, with a proof of purchase",
        "POST /products",
        data={
            "article_id": boiler["id"],
            "serial": f"LM-{str(uuid7())[-8:].upper()}",
            "place": json.dumps(PLACE),
            "purchase_date": str(bought),
            "delivery_date": str(bought + timedelta(days=3)),
            "commissioning_date": str(bought + timedelta(days=4)),
        },
        files=[("proof", ("facture.jpg", picture("Facture d'achat"), "image/jpeg"))],
        status=201,
    )
    await cast.manager.does("looks at the proof", f"GET /products/{product['id']}/proof")
    product = await cast.manager.does(
        "accepts the proof",
        f"POST /products/{product['id']}/verify",
        {"accepted": True, "proof": product["proof"]["sha256"]},
    )
    return Story(product=product)


async def in_catalogue(manager: Player, article: Json) -> Json:
    """Return the article; add it if it is missing, and get more of it if the last one is gone."""
    found = await manager.sees("/articles", reference=article["reference"])
    if found and found[0]["in_stock"]:
        return found[0]
    added = (
        found[0]
        if found
        else await manager.does(
            f"adds {article['name']} to the catalogue", "POST /articles", article, status=201
        )
    )
    await manager.does(
        f"puts 5 {article['name']} in stock",
        f"POST /articles/{added['id']}/stock-movements",
        {"movement": "receive", "quantity": 5, "reference": "BL-2026-118"},
        status=201,
    )
    return added


async def reported(cast: Cast, story: Story) -> None:
    """Open a réclamation with two photos; a manager qualifies it."""
    story.claim = await cast.client.does(
        "opens a réclamation",
        "POST /reclamations",
        {
            "product_id": story.product["id"],
            "problem_type": "no_heating",
            "description": "Plus de chauffage depuis hier soir ; le circulateur ne tourne plus.",
        },
        status=201,
    )
    claim = f"/reclamations/{story.claim['id']}"
    await cast.client.does(
        "adds two photos",
        f"POST {claim}/photos",
        files=[
            ("photos", ("chaudiere.jpg", picture("Chaudière"), "image/jpeg")),
            ("photos", ("circulateur.png", picture("Circulateur", "PNG"), "image/png")),
        ],
        status=201,
    )
    await cast.manager.awaits("/notifications", about_id=story.claim["id"], user_id=cast.manager.id)
    await cast.manager.does("reads that there is a new réclamation", "GET /notifications?limit=5")
    story.claim = await cast.manager.does(
        "qualifies it; the warranty decides who pays", f"POST {claim}/qualify", {"priority": "high"}
    )


async def planned(cast: Cast, story: Story) -> None:
    """Assign a technician at a free time."""
    slots = await cast.manager.does(
        f"asks when {cast.technician.name} is free",
        f"GET /slots?reclamation_id={story.claim['id']}&technician_id={cast.technician.id}",
    )
    slot = slots["items"][0]
    story.claim = await cast.manager.does(
        f"assigns {cast.technician.name}, {when(slot)}",
        f"POST /reclamations/{story.claim['id']}/assign",
        {
            "technician_id": cast.technician.id,
            "slot": {"start": slot["start"], "end": slot["end"]},
        },
    )
    story.visit = await cast.technician.awaits("/interventions", reclamation_id=story.claim["id"])
    await cast.client.awaits("/appointments", reclamation_id=story.claim["id"], status="booked")


async def repaired(cast: Cast, story: Story) -> None:
    """Do the visit, from its acceptance to the validated report."""
    pump = await in_catalogue(cast.manager, PUMP)
    visit = f"/interventions/{story.visit['id']}"
    for to, what in {
        "accepted": "accepts the visit",
        "en_route": "is on the way",
        "on_site": "arrives",
        "in_progress": "starts",
    }.items():
        if to == "in_progress":
            await agreement.reached(cast, story.visit["id"])
        # Its day is still to come.
        why = {"reason": "Convenu avec la cliente"} if to == "en_route" else {}
        await cast.technician.does(what, f"POST {visit}/moves", {"to": to} | why)
    await cast.technician.does(
        "describes the work",
        f"PUT {visit}/work",
        {
            "solution": "Circulateur bloqué, remplacé ; circuit purgé et remis en pression.",
            "labour": [{"description": "Remplacement du circulateur et purge", "minutes": 95}],
            "parts": [{"article_id": pump["id"], "quantity": 1, "serial": "C2560-7781"}],
            "travel_km": "24.5",
            "readings": {"pression": "1,5 bar"},
        },
    )
    await cast.technician.does("completes the visit", f"POST {visit}/moves", {"to": "completed"})
    added = await cast.technician.does(
        "takes two photos of the work",
        f"POST {visit}/photos",
        files=[
            ("photos", ("avant.jpg", picture("Circulateur grippé"), "image/jpeg")),
            ("photos", ("apres.jpg", picture("Circulateur neuf"), "image/jpeg")),
        ],
        status=201,
    )
    await cast.technician.does(
        "writes the report",
        f"PUT {visit}/report",
        {
            "findings": "Circulateur grippé, plus de circulation.",
            "work_done": "Circulateur remplacé, circuit purgé, essai de chauffe concluant.",
            "recommendations": "Désembouage conseillé dans l'année.",
            "photos": [photo["file"]["sha256"] for photo in added["items"]],
        },
    )
    await cast.technician.does(
        "lets the client sign on the tablet",
        f"POST {visit}/report/sign",
        data={"signed_by": cast.client.name},
        files=[("signature", ("signature.png", picture("Signature", "PNG"), "image/png"))],
    )
    await cast.technician.does("hands the report in", f"POST {visit}/report/submit")
    await cast.manager.does("validates the report: the visit is closed", f"POST {visit}/report/validate")
    await cast.client.awaits("/reclamations", reference=story.claim["reference"], status="resolved")


async def paid(cast: Cast, story: Story) -> None:
    """Issue the draft as an invoice, and pay it."""
    draft = await cast.manager.awaits("/invoices", intervention_id=story.visit["id"], status="draft")
    invoice = f"/invoices/{draft['id']}"
    await cast.manager.does(
        "notes that the client certified the age of the dwelling", f"PATCH {invoice}", {"certified": True}
    )
    issued = await cast.manager.does("issues the invoice", f"POST {invoice}/issue")
    await printed(cast.client, draft["id"])
    story.pdf = (await cast.client.does(f"reads invoice {issued['number']}", f"GET {invoice}.pdf"))["bytes"]
    await cast.manager.does(
        f"records the payment of {issued['total']} {issued['currency']}",
        f"POST {invoice}/payments",
        {"method": "transfer", "amount": issued["balance"], "reference": issued["number"]},
        status=201,
    )
    story.invoice = (await cast.client.sees("/invoices", intervention_id=story.visit["id"]))[0]


async def printed(who: Player, invoice_id: str) -> None:
    """Wait for the invoice's PDF."""
    until = time.monotonic() + PATIENCE
    while not any(one["document"] for one in await who.sees("/invoices") if one["id"] == invoice_id):
        if time.monotonic() > until:
            raise Unexpected(f"{who.name} has no PDF after {PATIENCE:.0f} s")
        await asyncio.sleep(0.05)


async def ended(cast: Cast, story: Story) -> None:
    """The client gives feedback and accepts; the month's report counts it."""
    await cast.client.awaits("/feedback", intervention_id=story.visit["id"])
    await cast.client.does(
        "says how it was",
        f"POST /interventions/{story.visit['id']}/feedback",
        {"rating": 5, "recommend": 9, "comment": "Rapide et propre, merci."},
    )
    story.claim = await cast.client.does(
        "accepts: the réclamation is closed",
        f"POST /reclamations/{story.claim['id']}/moves",
        {"to": "closed"},
    )
    await cast.client.does("reads the messages", "GET /notifications")
    await cast.client.does(
        "reads the whole story", f"GET /reclamations/{story.claim['id']}/timeline?limit=200"
    )
    await cast.admin.does("reads the report of the month", "GET /reports/reclamations")


def picture(text: str, form: str = "JPEG") -> bytes:
    """Return a small picture with this text, as a file's bytes."""
    image = Image.new("RGB", (640, 420), "#dfe7ea")
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 40, 600, 380), outline="#14506b", width=6)
    draw.text((80, 190), text, fill="#14506b")
    kept = io.BytesIO()
    image.save(kept, form)
    return kept.getvalue()


def when(slot: Json) -> str:
    """Return the start of a slot: `Mon 23 Nov at 08:00 UTC`."""
    return datetime.fromisoformat(slot["start"]).astimezone(UTC).strftime("%a %d %b at %H:%M UTC")
