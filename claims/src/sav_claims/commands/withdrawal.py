"""Withdrawing from a purchase, online: its client says so, then confirms it (Code de la consommation, L221-18, L221-21)."""

from datetime import date
from uuid import UUID

from sav_chassis.errors import Conflict
from sav_chassis.law.withdrawal import paid_back_by
from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_claims.lifecycle import ORDER
from sav_claims.orders import PartsOrder
from sav_claims.sales import day_there, home_of, right_of_buyer, today
from sav_claims.settings import firm
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.claims.order import (
    SHIPPED_ALREADY,
    BeginOrderWithdrawal,
    ConfirmOrderWithdrawal,
    OrderChanged,
    OrderReturned,
    OrderWithdrawn,
    ReturnOrder,
)


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


class NothingToReturn(Conflict):
    """Goods come back of a purchase that was shipped and from which its client withdrew, once."""

    code = "nothing_to_return"
    reference: str
    en = "Nothing is to come back of order {reference}"
    fr = "Aucun retour n’est attendu pour la commande {reference}"


@claims.command(BeginOrderWithdrawal)
async def begin_order_withdrawal(cmd: BeginOrderWithdrawal, tx: Tx, by: Actor) -> PartsOrder:
    """Say that one withdraws; nothing is cancelled yet."""
    order = await _withdrawable(cmd.order_id, tx, by)
    order.withdrawal_asked_at = order.withdrawal_asked_at or tx.now
    tx.emit(order, OrderChanged())
    return order


@claims.command(ConfirmOrderWithdrawal)
async def confirm_order_withdrawal(cmd: ConfirmOrderWithdrawal, tx: Tx, by: Actor) -> PartsOrder:
    """Confirm it: the contract is over. What was shipped stays so, and is to come back."""
    order = await _withdrawable(cmd.order_id, tx, by)
    if order.withdrawal_asked_at is None:
        raise SayItFirst
    if order.status not in SHIPPED_ALREADY:
        # Once a manager has validated it, no other cancellation is its client's.
        order.move("cancelled", SYSTEM)
    order.withdrawn_at = tx.now
    ordered = order.created_at.astimezone(firm().zone).date()
    last = paid_back_by(firm().jurisdiction, ordered, today(tx))
    tx.emit(order, OrderWithdrawn(at=tx.now, pay_back_by=last))
    return order


@claims.command(ReturnOrder)
async def return_order(cmd: ReturnOrder, tx: Tx, by: Actor) -> PartsOrder:
    """Record that the goods are back."""
    order = await tx.load(PartsOrder, cmd.order_id, by)
    if order.withdrawn_at is None or order.returned_at or order.status not in SHIPPED_ALREADY:
        raise NothingToReturn(reference=order.reference)
    order.returned_at = tx.now
    tx.emit(order, OrderReturned())
    return order


async def _withdrawable(id: UUID, tx: Tx, by: Actor) -> PartsOrder:
    """The order; raises where its client may not withdraw from it."""
    order = await tx.load(PartsOrder, id, by)
    if order.withdrawal is None and order.purpose == "purchase":
        # From before it was recorded: nobody was told of the right, so that its days have not begun (L221-20).
        order.withdrawal = right_of_buyer(order.created_at.astimezone(firm().zone).date())
    right = order.withdrawal
    if right is None or not right.right:
        raise NoRightToWithdraw(reference=order.reference)
    if order.withdrawn_at:
        raise WithdrawnAlready(reference=order.reference)
    if right.until and day_there(await home_of(order, tx), tx) > right.until:
        raise WithdrawalOver(reference=order.reference, until=right.until)
    if order.status not in SHIPPED_ALREADY:
        ORDER.check(order.status, "cancelled", SYSTEM)
    return order
