"""Messages to managers and technicians about parts and their stock."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel

from sav_chassis.tx import Tx
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.reservation import ReservationView, StockShort
from sav_contracts.catalog.stock import StockOverdrawn
from sav_contracts.claims.parts_list import PartsArrived, PartsRequested
from sav_contracts.claims.reclamation import ReclamationView
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

    @classmethod
    async def about(cls, event: PartsArrived, tx: Tx) -> Self:
        state = event.state
        return cls(
            reference=state.reference,
            article=state.article,
            parts=still_needed(state.parts),
            technician_id=state.technician_id,
        )

    def true_while(self, record: ReclamationView) -> bool:
        return record.is_open() and record.technician_id == self.technician_id


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
