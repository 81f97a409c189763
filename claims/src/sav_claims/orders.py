"""Orders of parts, their lines, and what becomes of these when stock moves."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID, uuid5

from sqlalchemy import ForeignKey, Numeric, select
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.law.sale import gross_of
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_chassis.tx import Tx
from sav_claims.lifecycle import ORDER
from sav_claims.parts import Reserved
from sav_contracts.actor import Actor, Role
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.reservation import ReservationStatus, ReservationView
from sav_contracts.claims.order import (
    NEEDS_STOCK,
    OrderLine,
    OrderLineState,
    OrderPurpose,
    OrderStatus,
    OrderView,
)
from sav_contracts.interventions.estimate import Withdrawal
from sav_contracts.interventions.line import Supply
from sav_contracts.money import Currency

STATES: dict[ReservationStatus, OrderLineState] = {
    "reserved": "reserved",
    "back_ordered": "back_ordered",
    "used": "consumed",
    "released": "released",
}
# The states in which a repair still waits for what was ordered.
ON_THE_WAY: frozenset[OrderStatus] = NEEDS_STOCK | {"placed", "shipped"}


class PlacedLine(OrderLine):
    """A line with what is known of its reservation, which views do not show."""

    reservation: Reserved | None = None

    @classmethod
    def of(cls, article: ArticleView, quantity: int, covered: int | None, order_id: UUID) -> Self:
        """So many pieces of this article, at today's price."""
        return cls(
            id=uuid5(order_id, str(article.id)),
            article_id=article.id,
            article=article.name,
            reference=article.reference,
            quantity=quantity,
            unit_price=article.price,
            vat_class=article.vat_class,
            covered=covered,
        )

    def now(self, **changes: Any) -> Self:
        """The line with these changes."""
        return self.model_copy(update=changes)

    def follows(self, reservation: ReservationView) -> Self:
        """The line after something became of its reservation; the same where that is known."""
        if self.reservation and self.reservation.version >= reservation.version:
            return self
        told = Reserved(version=reservation.version, status=reservation.status, quantity=reservation.quantity)
        return self.now(reservation=told, state=STATES[reservation.status])


class PartsOrder(Aggregate[OrderView], Stateful[OrderStatus]):
    """An order of parts: a client's purchase, or a technician's for a repair."""

    __tablename__ = "parts_order"
    lifecycle = ORDER

    reference: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[OrderPurpose]
    client_id: Mapped[UUID] = mapped_column(ForeignKey("client.id"))
    technician_id: Mapped[UUID | None]
    reclamation_id: Mapped[UUID | None] = mapped_column(ForeignKey("reclamation.id"))
    reclamation_reference: Mapped[str | None]
    lines: Mapped[tuple[PlacedLine, ...]] = mapped_column(JsonColumn(tuple[PlacedLine, ...]))
    currency: Mapped[Currency]
    status: Mapped[OrderStatus]
    reason: Mapped[str | None]
    # What a purchase costs including VAT, as its client read when they ordered.
    gross: Mapped[Decimal | None] = mapped_column(Numeric(15, 3))
    # Only purchases have it.
    withdrawal: Mapped[Withdrawal | None] = mapped_column(JsonColumn(Withdrawal))
    withdrawal_asked_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]

    @property
    def net(self) -> Decimal:
        """What all lines cost, excluding VAT."""
        return sum((line.unit_price * line.quantity for line in self.lines), Decimal(0))

    def priced(self, supply: Supply, law: Jurisdiction) -> Decimal:
        """What a purchase costs including VAT, supplied there: what its invoice asks for."""
        nets = ((line.unit_price * line.quantity, line.vat_class) for line in self.lines)
        return gross_of(nets, supply, law)

    def is_of(self, by: Actor) -> bool:
        """Whether they may act for whoever ordered: they themselves, managers, and SAV itself."""
        who = self.technician_id if self.purpose == "repair" else self.client_id
        return by.role not in (Role.CLIENT, Role.TECHNICIAN) or by.id == who

    def follow(self, reservation: ReservationView) -> bool:
        """Takes over what became of a line's reservation; false where that is known."""
        lines = tuple(
            line.follows(reservation) if line.id == reservation.line_id else line for line in self.lines
        )
        changed = lines != self.lines
        self.lines = lines
        return changed

    def stocked(self) -> OrderStatus:
        """The state that follows from its lines, while it needs stock; as before until catalog has answered for each."""
        states = {line.state for line in self.lines}
        if "ordered" in states:
            return self.status
        if "back_ordered" in states:
            return "back_ordered"
        return "reserved" if states <= {"reserved", "consumed"} else self.status

    @property
    def at_hand(self) -> bool:
        """Whether the technician has pieces of it that are not built in yet."""
        return self.status == "received" and any(line.state == "reserved" for line in self.lines)


async def orders_of(tx: Tx, reclamation_id: UUID) -> Sequence[PartsOrder]:
    """The orders for a repair, not locked."""
    found = await tx.session.scalars(
        select(PartsOrder)
        .where(PartsOrder.reclamation_id == reclamation_id)
        .order_by(PartsOrder.id)
        .execution_options(populate_existing=True)
    )
    return found.all()
