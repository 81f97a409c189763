"""A payment at a provider and all that became of it, and what was paid back of it there."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import select

from sav_chassis.errors import NotFound
from sav_chassis.tx import Tx
from sav_contracts.interventions.client_credit import CreditRefunded
from sav_contracts.interventions.payment import PaymentChanged
from sav_interventions.checkouts import paid_back
from sav_interventions.ledger import enter
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.payment import ClientCredit, Payment
from sav_interventions.receipts import ZERO, pay_back

log = structlog.get_logger()

# Why money was paid back that nobody here asked for.
AT_THE_PROVIDER = "Remboursé chez le prestataire de paiement."
# States in which no money was received.
NOTHING_YET = frozenset({"initiated", "failed", "expired"})


class CheckoutUnknown(NotFound):
    """It may still be being recorded here: the provider sends its news again."""

    en = "There is no such payment here, or not yet"
    fr = "Ce paiement n’existe pas ici, ou pas encore"


class Payer(NamedTuple):
    """A payment with its invoice, both locked."""

    payment: Payment
    invoice: Invoice


class Receipt(NamedTuple):
    """A payment at a provider and all that became of it: the credit that was left of it, and what that paid. All locked."""

    payment: Payment
    invoice: Invoice
    credits: list[ClientCredit]
    uses: list[Payer]

    @property
    def all(self) -> list[Payer]:
        """The payment itself, and those that were made from its credit."""
        return [Payer(self.payment, self.invoice), *self.uses]

    @property
    def parts(self) -> list[Payment | ClientCredit]:
        """Where its money is by now, in the order in which it is taken back."""
        return [self.payment, *self.credits, *(payer.payment for payer in self.uses)]

    @property
    def is_decided(self) -> bool:
        """Whether nothing of it is disputed (any more)."""
        return not any(one.disputed for one in self.parts)

    def is_disputed(self, credit: ClientCredit) -> bool:
        """Whether anything of this credit is: of what is left of it, or of what it paid."""
        paid = [payment.disputed for payment, _ in self.uses if payment.client_credit_id == credit.id]
        return any((credit.disputed, *paid))


async def lock(payment_id: UUID, tx: Tx) -> None:
    await tx.lock(f"what became of payment {payment_id}")


async def receipt_of(id: UUID, tx: Tx) -> Receipt:
    """Locks, in the order of everywhere: invoices, payments, credits, each by id."""
    await lock(id, tx)
    credits = select(ClientCredit.id).where(ClientCredit.payment_id == id)
    its = (Payment.id == id) | Payment.client_credit_id.in_(credits)
    invoices = (
        select(Invoice).where(Invoice.id.in_(select(Payment.invoice_id).where(its))).order_by(Invoice.id)
    )
    invoice = {one.id: one for one in await tx.session.scalars(invoices.with_for_update())}
    payments = await tx.session.scalars(select(Payment).where(its).order_by(Payment.id).with_for_update())
    payer = {one.id: Payer(one, invoice[one.invoice_id]) for one in payments}
    own = payer.pop(id)
    return Receipt(own.payment, own.invoice, await credits_of(id, tx), list(payer.values()))


async def credits_of(id: UUID, tx: Tx) -> list[ClientCredit]:
    """The credits that are left of a payment, locked, in the order of their ids."""
    query = select(ClientCredit).where(ClientCredit.payment_id == id).order_by(ClientCredit.id)
    return list(await tx.session.scalars(query.with_for_update()))


def check_captured(payment: Payment) -> None:
    """`CheckoutUnknown` where the news that it was received is still to come."""
    if payment.status in NOTHING_YET:
        raise CheckoutUnknown


async def follow_refunds(receipt: Receipt, tx: Tx) -> bool:
    """Enters what was paid back at the provider and not here.

    First of what counts for its invoice, then of the credit, then of what was paid from that: those invoices are open again.
    """
    left = receipt.payment.provider_refunded - await paid_back(receipt.payment, tx)
    if left <= 0:
        return False
    if not receipt.payment.counted:
        tx.emit(receipt.payment, PaymentChanged())
    for payer in receipt.all[:1]:
        left -= await _taken_back(payer, left, tx)
    for credit in receipt.credits:
        part = min(left, credit.remaining)
        if part > 0:
            left -= part
            credit.remaining -= part
            credit.refunded += part
            tx.emit(credit, CreditRefunded(amount=part, reason=AT_THE_PROVIDER, at_provider=True))
            await enter(tx, "refunded", -part, credit, credit.client_id)
    for payer in receipt.uses:
        left -= await _taken_back(payer, left, tx)
    if left > 0:
        log.error("a provider paid back more than was left", payment=str(receipt.payment.id), more=str(left))
    return True


async def _taken_back(payer: Payer, most: Decimal, tx: Tx) -> Decimal:
    part = min(most, payer.payment.counted)
    if part > 0:
        await pay_back(payer.payment, payer.invoice, part, AT_THE_PROVIDER, tx, at_provider=True)
    return max(part, ZERO)
