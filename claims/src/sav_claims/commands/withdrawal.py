"""Withdrawing from a purchase, online: its client says so, then confirms it (Code de la consommation, L221-18, L221-21)."""

from datetime import date, datetime

from pydantic import SecretStr
from sqlalchemy import Select, select

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.identity import Links
from sav_chassis.law.withdrawal import paid_back_by
from sav_chassis.shared_refusals import LinkExpired
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.orders import PartsOrder
from sav_claims.sales import buyer_of, first_address, ordered_on, right_of, zone_there
from sav_claims.settings import firm
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.claims.order import (
    SHIPPED_ALREADY,
    BeginOrderWithdrawal,
    ConfirmOrderWithdrawal,
    GetOrderWithdrawalByLink,
    OrderChanged,
    OrderReturned,
    OrderWithdrawn,
    PurchaseShown,
    PurchaseStanding,
    RecordOrderWithdrawal,
    ReturnOrder,
    WithdrawFromOrderByLink,
)
from sav_contracts.interventions.estimate import Withdrawal

# What is signed into a link, with the id of the order.
WITHDRAW = "withdraw-order"


class NoRightToWithdraw(Conflict):
    """There is no right to withdraw: it is for a repair, or no such law is known here; or its last day is over."""

    code = "no_right_to_withdraw"
    reference: str
    en = "There is no right to withdraw from order {reference}"
    fr = "La commande {reference} n’ouvre pas de droit de rétractation"


class WithdrawalOver(NoRightToWithdraw):
    until: date
    en = "The right to withdraw from order {reference} ended on {until}"
    fr = "Le délai de rétractation de la commande {reference} a pris fin le {until}"


class CancelledOrder(NoRightToWithdraw):
    """What was cancelled is no contract any more."""

    en = "Order {reference} was cancelled: there is nothing to withdraw from"
    fr = "La commande {reference} a été annulée : il n’y a plus de contrat auquel renoncer"


class RefusedOrder(NoRightToWithdraw):
    """What was refused was never a contract."""

    en = "Order {reference} was refused: there is nothing to withdraw from"
    fr = "La commande {reference} a été refusée : il n’y a pas de contrat auquel renoncer"


class WithdrawnAlready(Conflict):
    """The client has withdrawn from this purchase before."""

    code = "withdrawn_already"
    reference: str
    en = "The withdrawal from order {reference} is recorded already"
    fr = "La rétractation de la commande {reference} est déjà enregistrée"


class SayItFirst(Conflict):
    """Withdrawing has two steps."""

    code = "withdrawal_not_asked"
    en = "Say first that you want to withdraw, then confirm it"
    fr = "Indiquez d’abord que vous souhaitez vous rétracter, puis confirmez"


class SaidWhen(WrongField):
    field: str = "said_on"
    en = "a day from that of the order until today"
    fr = "un jour compris entre celui de la commande et aujourd’hui"


class NothingToReturn(Conflict):
    """Goods come back of a purchase that was shipped and from which its client withdrew, once."""

    code = "nothing_to_return"
    reference: str
    en = "Nothing is to come back of order {reference}"
    fr = "Aucun retour n’est attendu pour la commande {reference}"


@claims.command(BeginOrderWithdrawal)
async def begin_order_withdrawal(cmd: BeginOrderWithdrawal, tx: Tx, by: Actor) -> PartsOrder:
    """Say that one withdraws; nothing is cancelled yet."""
    order = await tx.load(PartsOrder, cmd.order_id, by)
    await _begin(order, tx)
    return order


@claims.command(ConfirmOrderWithdrawal)
async def confirm_order_withdrawal(cmd: ConfirmOrderWithdrawal, tx: Tx, by: Actor) -> PartsOrder:
    """Confirm it: the contract is over. What was shipped stays so, and is to come back."""
    order = await tx.load(PartsOrder, cmd.order_id, by)
    await _confirm(order, tx)
    return order


@claims.query(GetOrderWithdrawalByLink)
async def get_order_withdrawal_by_link(query: GetOrderWithdrawalByLink, tx: Tx, by: Actor) -> PurchaseShown:
    """The purchase that one withdraws from, in its state of now."""
    order = await tx.session.scalar(_linked(query.token, tx))
    if order is None:
        raise LinkExpired
    return await _shown(order, tx)


@claims.command(WithdrawFromOrderByLink)
async def withdraw_from_order_by_link(cmd: WithdrawFromOrderByLink, tx: Tx, by: Actor) -> PurchaseShown:
    """Both steps without an account; a confirmation that is repeated is no error."""
    order = await tx.first(_linked(cmd.token, tx))
    if order is None:
        raise LinkExpired
    if not (cmd.confirm and order.withdrawn_at):
        await (_confirm if cmd.confirm else _begin)(order, tx)
    return await _shown(order, tx)


@claims.command(RecordOrderWithdrawal)
async def record_order_withdrawal(cmd: RecordOrderWithdrawal, tx: Tx, by: Actor) -> PartsOrder:
    """Record that a client withdrew in another way: any clear statement that was sent in time counts (L221-21)."""
    order = await tx.load(PartsOrder, cmd.order_id, by)
    zone = zone_there(first_address(await buyer_of(order, tx)))
    if not order.created_at.astimezone(zone).date() <= cmd.said_on <= tx.now.astimezone(zone).date():
        raise SaidWhen
    _check(order, cmd.said_on)
    _end(order, tx)
    return order


@claims.command(ReturnOrder)
async def return_order(cmd: ReturnOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Record that the goods are back."""
    order = await tx.load(PartsOrder, cmd.order_id, by)
    if order.withdrawn_at is None or order.returned_at or order.status not in SHIPPED_ALREADY:
        raise NothingToReturn(reference=order.reference)
    order.returned_at = tx.now
    tx.emit(order, OrderReturned(pay_back_by=_paid_back_by(order, order.withdrawn_at)))
    return order


async def _begin(order: PartsOrder, tx: Tx) -> None:
    _check(order, await _today_there(order, tx))
    order.withdrawal_asked_at = order.withdrawal_asked_at or tx.now
    tx.emit(order, OrderChanged())


async def _confirm(order: PartsOrder, tx: Tx) -> None:
    _check(order, await _today_there(order, tx))
    if order.withdrawal_asked_at is None:
        raise SayItFirst
    _end(order, tx)


def _end(order: PartsOrder, tx: Tx) -> None:
    if order.status not in SHIPPED_ALREADY:
        # Once a manager has validated it, no other cancellation is its client's.
        order.move("cancelled", SYSTEM)
    order.withdrawn_at = tx.now
    tx.emit(order, OrderWithdrawn(at=tx.now, pay_back_by=_paid_back_by(order, tx.now)))


async def _today_there(order: PartsOrder, tx: Tx) -> date:
    return tx.now.astimezone(zone_there(first_address(await buyer_of(order, tx)))).date()


def _check(order: PartsOrder, on: date) -> None:
    """Raises where its client may not withdraw from an order on that day."""
    order.withdrawal = right = _right(order)
    match _standing(order, right, on):
        case "withdrawn":
            raise WithdrawnAlready(reference=order.reference)
        case "over":
            assert right.until, "its last day is over"
            raise WithdrawalOver(reference=order.reference, until=right.until)
        case "cancelled":
            raise CancelledOrder(reference=order.reference)
        case "refused":
            raise RefusedOrder(reference=order.reference)


def _right(order: PartsOrder) -> Withdrawal:
    right = right_of(order)
    if right is None or not right.right:
        raise NoRightToWithdraw(reference=order.reference)
    return right


def _standing(order: PartsOrder, right: Withdrawal, on: date) -> PurchaseStanding:
    if order.withdrawn_at:
        return "withdrawn"
    if order.status == "refused" or order.status == "cancelled":
        return order.status
    if right.until and on > right.until:
        return "over"
    return "asked" if order.withdrawal_asked_at else "open"


def _paid_back_by(order: PartsOrder, withdrawn_at: datetime) -> date | None:
    return paid_back_by(firm().jurisdiction, ordered_on(order), withdrawn_at.astimezone(firm().zone).date())


async def _shown(order: PartsOrder, tx: Tx) -> PurchaseShown:
    """The purchase as whoever holds its link reads it."""
    right, buyer = _right(order), await buyer_of(order, tx)
    zone = zone_there(first_address(buyer))
    return PurchaseShown(
        reference=order.reference,
        client=buyer.name,
        ordered_on=order.created_at.astimezone(zone).date(),
        lines=list(order.lines),
        currency=order.currency,
        net=order.net,
        gross=order.gross,
        status=_standing(order, right, tx.now.astimezone(zone).date()),
        shipped=order.status in SHIPPED_ALREADY,
        returned_on=order.returned_at.astimezone(zone).date() if order.returned_at else None,
        until=right.until,
        days=right.days,
        withdrawn_on=order.withdrawn_at.astimezone(zone).date() if order.withdrawn_at else None,
        pay_back_by=_paid_back_by(order, order.withdrawn_at or tx.now),
    )


def _linked(token: SecretStr, tx: Tx) -> Select[PartsOrder]:
    id = Links(tx.settings.link_secret).grant(WITHDRAW, token.get_secret_value())
    return select(PartsOrder).where(PartsOrder.id.in_([id]))
