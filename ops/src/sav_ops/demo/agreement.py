"""The estimate of the demo: written, sent and accepted before work that the client pays for."""

from typing import Any, Protocol

Json = dict[str, Any]


class Player(Protocol):
    """What is asked here of a person of the story."""

    async def does(self, what: str, request: str, body: Any = None, *, status: int = 200) -> Json:
        """Send a request."""
        ...

    async def awaits(self, path: str, **parameters: Any) -> Json:
        """Wait for a record in a list."""
        ...


class Cast(Protocol):
    """Who has to do with an estimate."""

    @property
    def client(self) -> Player:
        """Accepts it."""
        ...

    @property
    def technician(self) -> Player:
        """Writes it."""
        ...

    @property
    def manager(self) -> Player:
        """Sends it."""
        ...


# What the repair is estimated at, excluding VAT.
ESTIMATED: list[Json] = [
    {
        "kind": "labour",
        "description": "Remplacement du circulateur et purge",
        "quantity": "1.75",
        "unit": "hour",
        "unit_price": "62.00",
        "vat_class": "intermediate",
    },
    {
        "kind": "part",
        "description": "Circulateur 25-60 (CIR-25-60)",
        "quantity": "1",
        "unit": "piece",
        "unit_price": "186.40",
        "vat_class": "intermediate",
    },
    {
        "kind": "travel",
        "description": "Déplacement",
        "quantity": "25",
        "unit": "km",
        "unit_price": "0.90",
        "vat_class": "intermediate",
    },
]


async def reached(cast: Cast, visit_id: str) -> None:
    """Where no warranty pays for all of the work, the client accepts an estimate before it begins."""
    visit = await cast.technician.does("reads who pays", f"GET /interventions/{visit_id}")
    if visit["warranty"]["decision"] in ("covered", "unknown"):
        return
    await accepted(cast, visit)


async def accepted(cast: Cast, visit: Json) -> Json:
    """An estimate of the visit, from its draft to its acceptance: the work may begin at once."""
    estimate = await cast.technician.does(
        "writes an estimate",
        f"POST /interventions/{visit['id']}/estimates",
        # Accepting certifies that the dwelling is old enough for a lower rate. Of an urgent repair there is no right to
        # withdraw, so it may be paid at once.
        {
            "nature": "Remplacement du circulateur bloqué.",
            "lines": ESTIMATED,
            "certified": True,
            "urgent": "Plus de chauffage.",
        },
        status=201,
    )
    path = f"/estimates/{estimate['id']}"
    await cast.manager.does("checks and sends the estimate", f"POST {path}/validate")
    await cast.client.awaits("/estimates", intervention_id=visit["id"], status="sent")
    return await cast.client.does(
        "accepts it",
        f"POST {path}/accept",
        {"keeps_parts": False},
    )
