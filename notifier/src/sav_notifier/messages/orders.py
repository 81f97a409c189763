"""Messages about orders of parts: to whoever ordered, and to managers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.actor import Role
from sav_contracts.address import Address
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.order import (
    SHIPPED_ALREADY,
    OrderCancelled,
    OrderMoved,
    OrderPlaced,
    OrderRefused,
    OrderReturned,
    OrderShipped,
    OrderStatus,
    OrderView,
    OrderWithdrawn,
)
from sav_contracts.interventions.client_credit import ClientCreditView
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.money import Currency
from sav_notifier.message import Internal, Message, message
from sav_notifier.messages.estimates import received_for
from sav_notifier.messages.parts import Piece
from sav_notifier.recipients import (
    Recipient,
    client,
    its_client,
    managers,
    phones_of,
    technician,
    technician_name,
)
from sav_notifier.zones import HERE


def pieces(order: OrderView) -> list[Piece]:
    """What was ordered."""
    return [
        Piece(name=line.article, reference=line.reference, quantity=line.quantity) for line in order.lines
    ]


def awaited(order: OrderView) -> list[Piece]:
    """What is back-ordered."""
    waiting = tuple(line for line in order.lines if line.state == "back_ordered")
    return pieces(order.model_copy(update={"lines": waiting}))


async def whoever_ordered(event: Any, tx: Tx) -> list[Recipient]:
    """The technician, for a repair; else the client."""
    order: OrderView = event.state
    if order.technician_id:
        return [await technician(tx, order.technician_id)]
    return [await client(tx, order.client_id)]


@message("order_received", on=OrderPlaced, to=its_client, category="reclamation", link="withdraw-order")
class OrderIsReceived(Message):
    """The client who bought has it in writing, with a link to withdraw. A technician knows what they ordered."""

    reference: str
    pieces: list[Piece]
    net: Decimal
    # Including VAT; None in messages from before it was said.
    gross: Decimal | None = None
    currency: Currency
    # So many days after the receipt they may withdraw; None where there is no such right.
    days: int | None = None
    # Of the link to withdraw: the order's own id.
    grant_id: Internal[UUID | None] = None
    client: str = ""
    at: datetime | None = None
    zone: str = HERE

    @classmethod
    async def about(cls, event: OrderPlaced, tx: Tx) -> Self | str:
        order = event.state
        if order.purpose == "repair":
            return "a technician's order"
        return cls(
            days=order.withdrawal.days if order.withdrawal else None,
            grant_id=order.id if order.withdrawal and order.withdrawal.right else None,
            client=await _name(tx, order),
            at=order.created_at,
            reference=order.reference,
            pieces=pieces(order),
            net=order.net,
            gross=order.gross,
            currency=order.currency,
        )


@message("order_to_validate", on=OrderPlaced, to=managers, category="reclamation")
class OrderToValidate(Message):
    """Managers have an order to look at."""

    reference: str
    claim: str | None
    who: str
    pieces: list[Piece]
    net: Decimal
    currency: Currency

    @classmethod
    async def about(cls, event: OrderPlaced, tx: Tx) -> Self:
        order = event.state
        return cls(
            reference=order.reference,
            claim=order.reclamation_reference,
            who=await _name(tx, order),
            pieces=pieces(order),
            net=order.net,
            currency=order.currency,
        )

    def true_while(self, record: OrderView) -> bool:
        return record.status == "placed"


@message("order_refused", on=OrderRefused, to=whoever_ordered, category="reclamation")
class OrderIsRefused(Message):
    """Whoever ordered learns why a manager refused it."""

    reference: str
    claim: str | None
    pieces: list[Piece]
    reason: str | None

    @classmethod
    async def about(cls, event: OrderRefused, tx: Tx) -> Self:
        order = event.state
        return cls(
            reference=order.reference,
            claim=order.reclamation_reference,
            pieces=pieces(order),
            reason=event.reason,
        )


@message("order_stock", on=OrderMoved, to=whoever_ordered, category="reclamation")
class OrderInStock(Message):
    """Whoever ordered learns that it was validated and is there, waits for stock, or is complete after it waited."""

    reference: str
    claim: str | None
    pieces: list[Piece]
    awaited: list[Piece]
    now: OrderStatus
    validated: bool

    @classmethod
    async def about(cls, event: OrderMoved, tx: Tx) -> Self:
        order = event.state
        return cls(
            reference=order.reference,
            claim=order.reclamation_reference,
            pieces=pieces(order),
            awaited=awaited(order),
            now=event.after,
            validated=event.before == "validated",
        )

    def true_while(self, record: OrderView) -> bool:
        return record.status == self.now


@message("order_to_ship", on=OrderMoved, to=managers, category="reclamation")
class OrderToShip(Message):
    """Managers can ship an order: all of it is reserved."""

    reference: str
    claim: str | None
    who: str
    pieces: list[Piece]
    # Of a purchase: where its client can be reached, by their profile.
    phones: tuple[str, ...] = ()
    addresses: tuple[Address, ...] = ()

    @classmethod
    async def about(cls, event: OrderMoved, tx: Tx) -> Self | str:
        order = event.state
        if event.after != "reserved":
            return "it waits for stock"
        bought = order.purpose == "purchase"
        return cls(
            reference=order.reference,
            claim=order.reclamation_reference,
            who=await _name(tx, order),
            pieces=pieces(order),
            phones=await phones_of(tx, order.client_id) if bought else (),
            addresses=(await tx.view(ClientView, order.client_id)).addresses if bought else (),
        )

    def true_while(self, record: OrderView) -> bool:
        return record.status == "reserved"


@message("order_shipped", on=OrderShipped, to=whoever_ordered, category="reclamation")
class OrderIsShipped(Message):
    """Whoever ordered learns that it is on its way, and is asked to confirm that it has arrived."""

    reference: str
    claim: str | None
    pieces: list[Piece]

    @classmethod
    async def about(cls, event: OrderShipped, tx: Tx) -> Self:
        order = event.state
        return cls(reference=order.reference, claim=order.reclamation_reference, pieces=pieces(order))

    def true_while(self, record: OrderView) -> bool:
        return record.status == "shipped"


async def whoever_did_not_cancel(event: OrderCancelled, tx: Tx) -> list[Recipient]:
    """Whoever ordered, where it was not they; managers too, where nobody did."""
    if event.by not in (Role.MANAGER, Role.SYSTEM):
        return []
    ordered = await whoever_ordered(event, tx)
    return [*ordered, *(await managers(event, tx))] if event.by is Role.SYSTEM else ordered


@message("order_cancelled", on=OrderCancelled, to=whoever_did_not_cancel, category="reclamation")
class OrderIsCancelled(Message):
    """Whoever ordered learns that it is cancelled; managers too, where that followed from the end of a réclamation."""

    reference: str
    claim: str | None
    pieces: list[Piece]
    reason: str | None
    by_itself: bool

    @classmethod
    async def about(cls, event: OrderCancelled, tx: Tx) -> Self:
        order = event.state
        return cls(
            reference=order.reference,
            claim=order.reclamation_reference,
            pieces=pieces(order),
            reason=event.reason,
            by_itself=event.by is Role.SYSTEM,
        )


class OfWithdrawal(Message):
    """What is told of a withdrawal from a purchase."""

    reference: str
    client: str
    pieces: list[Piece]
    gross: Decimal | None
    currency: Currency
    shipped: bool
    at: datetime
    zone: str = HERE
    pay_back_by: date | None

    @classmethod
    async def about(cls, event: OrderWithdrawn, tx: Tx) -> Self:
        order = event.state
        return cls(
            reference=order.reference,
            client=await _name(tx, order),
            pieces=pieces(order),
            gross=order.gross,
            currency=order.currency,
            shipped=order.status in SHIPPED_ALREADY,
            at=event.at,
            pay_back_by=event.pay_back_by,
        )


@message("order_withdrawal_receipt", on=OrderWithdrawn, to=its_client, category="billing", lasting=True)
class OrderWithdrawalReceipt(OfWithdrawal):
    """The receipt of a withdrawal: what it is about, and when it was made (Code de la consommation, D221-5)."""


@message("order_withdrawn", on=OrderWithdrawn, to=managers, category="reclamation")
class OrderWasWithdrawn(OfWithdrawal):
    """Managers learn that a client withdrew, what comes back, and how much is to be paid back until when."""

    # None in messages from before it was said.
    paid: Decimal | None = None

    @classmethod
    async def about(cls, event: OrderWithdrawn, tx: Tx) -> Self:
        told = await super().about(event, tx)
        paid = await _left_to_pay_back(await _invoices(event.state, tx), tx)
        return told.model_copy(update={"paid": paid})

    def true_while(self, record: OrderView) -> bool:
        return record.returned_at is None


@message("order_returned", on=OrderReturned, since="2026-11-30", to=managers, category="billing")
class OrderToPayBack(Message):
    """Managers learn that the goods of a withdrawn purchase are back, and what has to be paid back until when."""

    reference: str
    client: str
    paid: Decimal
    currency: Currency
    pay_back_by: date | None

    @classmethod
    async def about(cls, event: OrderReturned, tx: Tx) -> Self | str:
        order = event.state
        paid = await _left_to_pay_back(await _invoices(order, tx), tx)
        if paid <= 0:
            return "nothing is left to pay back"
        return cls(
            reference=order.reference,
            client=await _name(tx, order),
            paid=paid,
            currency=order.currency,
            pay_back_by=event.pay_back_by,
        )


async def _invoices(order: OrderView, tx: Tx) -> list[InvoiceView]:
    return await tx.copies(InvoiceView).where(order_id=order.id).all()


async def _left_to_pay_back(invoices: list[InvoiceView], tx: Tx) -> Decimal:
    """What was paid for them and is not paid back yet, from the credit that was left of it either."""
    if not invoices:
        return Decimal(0)
    ids = [one.id for one in invoices]
    credits = await tx.copies(ClientCreditView).where(invoice_id=ids).all()
    return await received_for(ids, tx) - sum((one.refunded for one in credits), Decimal(0))


async def _name(tx: Tx, order: OrderView) -> str:
    if order.technician_id:
        return await technician_name(tx, order.technician_id)
    return (await client(tx, order.client_id)).name
