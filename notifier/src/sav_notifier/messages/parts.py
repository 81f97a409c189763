"""Messages to managers and technicians about parts and their stock."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.reservation import ReservationView, StockShort
from sav_contracts.catalog.stock import StockOverdrawn
from sav_contracts.claims.parts_list import PartsArrived, PartsRequested
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationView
from sav_contracts.parts import Part
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import Recipient, its_technician, managers, technician_name


class Piece(BaseModel):
    """So many pieces of an article."""

    name: str
    reference: str
    quantity: int


def still_needed(parts: tuple[Part, ...]) -> list[Piece]:
    """What is not built in yet."""
    return [
        Piece(name=part.article, reference=part.reference, quantity=part.quantity - part.used)
        for part in parts
        if part.is_needed()
    ]


def released(parts: tuple[Part, ...]) -> list[Piece]:
    """What was promised to a réclamation that is over, and not built in."""
    return still_needed(
        tuple(part for part in parts if part.state in ("validated", "reserved", "back_ordered"))
    )


@message(
    "parts_short",
    on=StockShort,
    to=managers,
    category="alert",
)
class PartsShort(Message):
    """Managers learn what is to be ordered for whom."""

    article: str
    reference: str
    missing: int
    needed_for: str

    @classmethod
    async def about(cls, event: StockShort, tx: Tx) -> Self:
        waiting = event.state
        article = await tx.view(ArticleView, waiting.article_id)
        return cls(
            article=article.name,
            reference=waiting.reference,
            missing=waiting.quantity - waiting.used,
            needed_for=waiting.for_reference,
        )

    def true_while(self, record: ReservationView) -> bool:
        return record.status == "back_ordered"


@message(
    "parts_to_validate",
    on=PartsRequested,
    to=managers,
    category="reclamation",
)
class PartsToValidate(Message):
    """Managers have a parts list to look at."""

    reference: str
    article: str
    technician: str | None
    parts: list[Piece]
    again: bool
    edition: Internal[int]

    @classmethod
    async def about(cls, event: PartsRequested, tx: Tx) -> Self:
        state = event.state
        technician = await technician_name(tx, state.technician_id) if state.technician_id else None
        return cls(
            reference=state.reference,
            article=state.article,
            technician=technician,
            parts=still_needed(state.parts),
            again=state.parts_validated > 0,
            edition=event.edition,
        )

    def true_while(self, record: ReclamationView) -> bool:
        newest = record.parts_edition == self.edition and record.parts_validated < self.edition
        return newest and record.is_open()


async def whoever_repairs(event: PartsArrived, tx: Tx) -> list[Recipient]:
    """The technician of the réclamation, if it has one at present."""
    return await its_technician(event, tx) if event.state.technician_id else []


@message(
    "parts_arrived",
    on=PartsArrived,
    to=whoever_repairs,
    category="assignment",
)
class PartsAreThere(Message):
    """The technician learns that all parts that were waited for are there."""

    reference: str
    article: str
    parts: list[Piece]
    technician_id: Internal[UUID | None]
    # The value in rows from before this field existed.
    return_visit: bool = False

    @classmethod
    async def about(cls, event: PartsArrived, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            parts=still_needed(state.parts),
            technician_id=state.technician_id,
            return_visit=event.return_visit,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.is_open() and record.technician_id == self.technician_id


@message(
    "return_visit_to_plan",
    on=ReclamationMoved,
    to=managers,
    category="reclamation",
    since="2026-11-29",
)
class ReturnVisitToPlan(Message):
    """Managers learn that another visit can be planned: it waits for parts no longer, be they there or not coming."""

    reference: str
    article: str
    technician: str | None
    parts: list[Piece]

    @classmethod
    async def about(cls, event: ReclamationMoved, tx: Tx) -> Self | str:
        state = event.state
        if event.before != "awaiting_parts" or event.after not in ("assigned", "qualified"):
            return "no other visit is needed"
        return cls(
            reference=state.reference,
            article=state.article,
            technician=await technician_name(tx, state.technician_id) if state.technician_id else None,
            parts=still_needed(tuple(part for part in state.parts if part.state == "reserved")),
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.status in ("assigned", "qualified")


async def staff_of_it(event: ReclamationMoved | ReclamationClosed, tx: Tx) -> list[Recipient]:
    """The technician of the réclamation, if it has one, and managers, but not whoever ended it.

    Of what a client cancels, managers read all in `cancelled_by_client`: nobody gets two messages of one event.
    """
    repairs = await its_technician(event, tx) if event.state.technician_id else []
    if event.state.status == "cancelled" and tx.context.actor_role is Role.CLIENT:
        return repairs
    return [one for one in (*repairs, *(await managers(event, tx))) if one.id != tx.context.actor_id]


@message(
    "parts_to_return",
    on={ReclamationMoved: "tell_of_released_parts", ReclamationClosed: "tell_of_released_parts"},
    to=staff_of_it,
    category="assignment",
    since="2026-11-29",
)
class PartsToReturn(Message):
    """Staff learn which parts of a réclamation that is over were not built in."""

    reference: str
    article: str
    parts: list[Piece]
    # The réclamation that goes on instead.
    target: str | None = None

    @classmethod
    async def about(cls, event: ReclamationMoved | ReclamationClosed, tx: Tx) -> Self | str:
        state = event.state
        promised = released(state.parts)
        if state.is_open() or not promised:
            return "no parts are released by it"
        return cls(
            reference=state.reference,
            article=state.article,
            parts=promised,
            target=event.target_reference if isinstance(event, ReclamationMoved) else None,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return not record.is_open()


@message(
    "stock_overdrawn",
    on=StockOverdrawn,
    to=managers,
    category="alert",
    lasting=True,
)
class StockToCount(Message):
    """Managers learn that the stock is not what it says."""

    article: str
    reference: str
    used: int
    there: int
    reserved: int
    claim: str | None

    @classmethod
    async def about(cls, event: StockOverdrawn, tx: Tx) -> Self:
        stock = event.state
        article = await tx.view(ArticleView, stock.article_id)
        return cls(
            article=article.name,
            reference=stock.reference,
            used=event.used,
            there=event.there,
            reserved=stock.reserved,
            claim=event.reference,
        )
