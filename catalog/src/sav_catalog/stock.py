"""Moves stock; nothing else does. The article is locked meanwhile, and what came of it is told once, at the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, select

from sav_catalog.model import Article, Reservation, StockLevel, StockMovement, stock_id
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.reservation import (
    NeededFor,
    ReservationStatus,
    StockReleased,
    StockReserved,
    StockShort,
    StockUsed,
)
from sav_contracts.catalog.stock import (
    MovedBecause,
    Movement,
    StockLevelChanged,
    StockLow,
    StockMoved,
    StockOverdrawn,
)
from sav_contracts.claims.order import SHIPPED_ALREADY, OrderView
from sav_contracts.parts import PartNeeded

NEEDED: MovedBecause = "needed"
NOT_NEEDED: MovedBecause = "no_longer_needed"
BUILT_IN: MovedBecause = "built_in"
SHIPPED: MovedBecause = "shipped"
MISSING: MovedBecause = "missing"

OPEN: tuple[ReservationStatus, ...] = ("reserved", "back_ordered")


class Need(NamedTuple):
    """What stock is reserved for: a réclamation or an order; and the réclamation that is repaired with it."""

    kind: NeededFor
    id: UUID
    reference: str
    repair_id: UUID | None


@asynccontextmanager
async def stock_of(tx: Tx, article_id: UUID, by: Actor = SYSTEM) -> AsyncIterator["Stock"]:
    """The stock of an article, locked until the transaction ends; at the end of the block back-orders are served.

    Whoever needs several takes them in the order of the articles' ids.
    """
    # The article before its stock level, as everywhere: another order would risk a deadlock.
    article = await tx.load(Article, article_id, by)
    level = await tx.load(StockLevel, stock_id(article.id), by)
    stock = Stock(tx, article, level)
    yield stock
    await stock.settle()


class Stock:
    """The stock of one article, in one transaction."""

    def __init__(self, tx: Tx, article: Article, level: StockLevel) -> None:
        self.article = article
        self.level = level
        self._tx = tx
        self._was_low, self._back_ordered = level.is_low, level.back_ordered
        self._moved = False
        # Those that may have to wait from now on.
        self._asked: list[Reservation] = []

    def move(
        self, movement: Movement, quantity: int, reason: str | None = None, reference: str | None = None
    ) -> datetime:
        """Adds to the free stock, or takes from it, and returns when; `NotEnoughStock` where it would fall below zero."""
        self.level.change(movement, quantity)
        moved = StockMoved(movement=movement, quantity=quantity, reason=reason, reference=reference)
        self._tx.emit(self.level, moved)
        self._moved = True
        self._tx.add(
            StockMovement(
                id=self._tx.new_id(),
                article_id=self.article.id,
                by_id=self._tx.context.actor_id,
                at=self.level.updated_at,
                **moved.model_dump(exclude={"state"}),
            )
        )
        return self.level.updated_at

    async def adjust(self, difference: int, reason: str | None, reference: str | None = None) -> datetime:
        """Corrects the stock by what was counted: where fewer pieces are there than are reserved, who came last waits.

        Returns when it was moved.
        """
        reserved = (
            select(Reservation)
            .where(Reservation.article_id == self.article.id, Reservation.status == "reserved")
            .order_by(Reservation.place.desc())
        )
        while self.level.level + difference < 0 and self.level.reserved:
            last = await self._tx.first(reserved)
            assert last is not None, "the level says that some are reserved"
            self.move("release", last.rest, MISSING, last.for_reference)
            self._awaits(last)
        return self.move("adjust", difference, reason, reference)

    async def reservations(self, need_id: UUID) -> list[Reservation]:
        """Those of this article by which a réclamation or an order has something, or waits for it."""
        return await self._open(Reservation.for_id == need_id)

    async def of_repair(self, reclamation_id: UUID) -> list[Reservation]:
        """Those of this article for a repair: by its parts list, and by orders for it."""
        return await self._open(Reservation.repair_id == reclamation_id)

    async def _open(self, whose: ColumnElement[bool]) -> list[Reservation]:
        mine = whose, Reservation.article_id == self.article.id, Reservation.status.in_(OPEN)
        found = select(Reservation).where(*mine).order_by(Reservation.place)
        return list(await self._tx.session.scalars(found.with_for_update()))

    async def ask(self, need: Need, line: PartNeeded) -> None:
        """Reserves what a line needs: all of it, or it waits. One that asked before keeps its turn."""
        reservation = await self._reservation(need, line)
        quantity = max(line.quantity, reservation.used)
        rest = quantity - reservation.used
        if reservation.rest == rest:
            return
        if reservation.status == "reserved" and 0 < rest < reservation.rest:
            self.move("release", reservation.rest - rest, NOT_NEEDED, need.reference)
            reservation.quantity = quantity
            self._tx.emit(reservation, StockReserved())
            return
        self._let_go(reservation)
        reservation.quantity = quantity
        if rest == 0:
            reservation.becomes("used")
            self._tx.emit(reservation, StockReleased())
            return
        self._awaits(reservation)

    def release(self, reservation: Reservation) -> None:
        """Gives back what is reserved, or ends the waiting."""
        self._let_go(reservation)
        reservation.becomes("used" if reservation.used else "released")
        self._tx.emit(reservation, StockReleased())

    def take_out(self, reservation: Reservation) -> None:
        """Takes out what was reserved and has left the shelf. What was missing on it when it was counted is out already."""
        self._take(reservation, reservation.rest, reservation.for_reference, SHIPPED)

    async def build_in(self, reclamation_id: UUID | None, quantity: int, reference: str) -> None:
        """Takes out what a visit built in: what is reserved for the repair, if it is one, first, then what is free."""
        reserved = await self.of_repair(reclamation_id) if reclamation_id else []
        await self._use(reserved, quantity, reference, BUILT_IN)

    async def ship(self, order_id: UUID, quantity: int, reference: str) -> None:
        """Takes out what was shipped to its buyer: what is reserved for the order first, then what is free."""
        await self._use(await self.reservations(order_id), quantity, reference, SHIPPED)

    async def _use(
        self, reservations: Sequence[Reservation], quantity: int, reference: str, why: MovedBecause
    ) -> None:
        """Takes out pieces that have left the shelf: those of these reservations first, then free ones.

        What is not there has left all the same: the level takes what there is, and people are told to count. It also
        ends the waiting for as many pieces.
        """
        left = quantity
        for reservation in (one for one in reservations if one.status == "reserved"):
            left -= self._take(reservation, left, reference, why)
        free = min(left, self.level.level)
        if free:
            self.move("consume", -free, why, reference)
        unreserved = left
        for reservation in (one for one in reservations if one.status == "back_ordered"):
            unreserved -= self._take(reservation, unreserved, reference, why)
        if left > free:
            there = quantity - (left - free)
            self._tx.emit(self.level, StockOverdrawn(used=quantity, there=there, reference=reference))

    async def settle(self) -> None:
        """Serves those who wait, and tells what changed since the beginning of the transaction."""
        await self._serve()
        for reservation in self._asked:
            if reservation.status == "back_ordered":
                self._tx.emit(reservation, StockShort())
        level = self.level
        if level.back_ordered != self._back_ordered and not self._moved:
            self._tx.emit(level, StockLevelChanged())
        if level.is_low and not self._was_low:
            self._tx.emit(level, StockLow())
        if self.article.in_stock != (level.level > 0):
            self.article.in_stock = level.level > 0
            self._tx.emit(self.article, ArticleChanged())

    async def _serve(self) -> None:
        """Strictly in their order: if smaller ones overtook a large one, it might wait for ever."""
        waiting = (
            select(Reservation)
            .where(Reservation.article_id == self.article.id, Reservation.status == "back_ordered")
            .order_by(Reservation.place)
        )
        while self.level.back_ordered and self.level.level:
            first = await self._tx.first(waiting)
            if first is None or first.rest > self.level.level:
                return
            self.level.back_ordered -= first.rest
            self.move("reserve", -first.rest, NEEDED, first.for_reference)
            first.becomes("reserved")
            self._tx.emit(first, StockReserved())

    async def _reservation(self, need: Need, line: PartNeeded) -> Reservation:
        """The reservation of a line; a new one has nothing yet."""
        id = uuid5(need.id, str(line.id))
        found = await self._tx.first(select(Reservation).where(Reservation.id == id))
        return found or self._tx.add(
            Reservation(
                id=id,
                article_id=self.article.id,
                reference=self.article.reference,
                quantity=line.quantity,
                used=0,
                for_kind=need.kind,
                for_id=need.id,
                for_reference=need.reference,
                repair_id=need.repair_id,
                line_id=line.id,
                status="released",
            )
        )

    def _take(self, reservation: Reservation, at_most: int, reference: str, why: MovedBecause) -> int:
        """Takes pieces out of a reservation or a back-order, and returns how many."""
        pieces = min(reservation.rest, at_most)
        if pieces == 0:
            return 0
        if reservation.status == "reserved":
            self.move("release", pieces, why, reference)
            self.move("consume", -pieces, why, reference)
        else:
            self.level.back_ordered -= pieces
        reservation.used += pieces
        if reservation.used == reservation.quantity:
            reservation.becomes("used")
        self._tx.emit(reservation, StockUsed(quantity=pieces))
        return pieces

    def _awaits(self, reservation: Reservation) -> None:
        if reservation.status != "back_ordered":
            reservation.becomes("back_ordered")
        self.level.back_ordered += reservation.rest
        self._asked.append(reservation)

    def _let_go(self, reservation: Reservation) -> None:
        if reservation.status == "reserved":
            self.move("release", reservation.rest, NOT_NEEDED, reservation.for_reference)
        elif reservation.status == "back_ordered":
            self.level.back_ordered -= reservation.rest


async def reserve(tx: Tx, need: Need, lines: Sequence[PartNeeded]) -> None:
    """Makes the reservations of a réclamation or an order those of these lines; what is in none of them is released."""
    mine = Reservation.for_id == need.id, Reservation.status.in_(OPEN)
    held = await tx.session.scalars(select(Reservation.article_id).where(*mine))
    articles = {*held, *(line.article_id for line in lines)}
    needed = {line.id for line in lines}
    for article_id in sorted(articles):
        async with stock_of(tx, article_id) as stock:
            for reservation in await stock.reservations(need.id):
                if reservation.line_id not in needed:
                    stock.release(reservation)
            for line in lines:
                if line.article_id == article_id:
                    await stock.ask(need, line)


async def release_repair(tx: Tx, reclamation_id: UUID, over: bool) -> None:
    """Gives back what is reserved for a repair, by its parts list and by orders, and ends the waiting.

    What was shipped is with its technician and not on the shelf: it stays reserved for the work, and leaves the stock
    where the réclamation is over. Whoever brings it back records a `return`.
    """
    mine = Reservation.repair_id == reclamation_id, Reservation.status.in_(OPEN)
    for article_id in sorted({*await tx.session.scalars(select(Reservation.article_id).where(*mine))}):
        async with stock_of(tx, article_id) as stock:
            for reservation in await stock.of_repair(reclamation_id):
                if not await _is_shipped(tx, reservation):
                    stock.release(reservation)
                elif over:
                    stock.take_out(reservation)


async def _is_shipped(tx: Tx, reservation: Reservation) -> bool:
    """Whether its pieces were sent to the technician who ordered them."""
    order = await tx.copies(OrderView).one(reservation.for_id) if reservation.for_kind == "order" else None
    return order is not None and order.status in SHIPPED_ALREADY
