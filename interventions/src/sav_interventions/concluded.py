"""The contract that money is for: the accepted estimate, until when nothing may be paid for it, and how large its debt is."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from sav_chassis.errors import Conflict
from sav_chassis.law.withdrawal import no_payment_reference
from sav_chassis.tx import Tx
from sav_chassis.written import day
from sav_contracts.actor import SYSTEM
from sav_contracts.money import Currency
from sav_interventions.agreement import of_same_case, visits_of_case
from sav_interventions.deposits import COUNTS
from sav_interventions.lifecycle import OVER
from sav_interventions.model import Estimate, Intervention, Invoice
from sav_interventions.settings import billing

ZERO = Decimal("0.00")


class PaymentTooEarly(Conflict):
    """Whoever concluded a contract at home may think it over before paying anything."""

    code = "payment_too_early"
    estimate: str
    until: date
    reference: str
    en = (
        "The client concluded the contract ({estimate}) at home: nothing may be paid for it, in whatever form, until the "
        "end of {until} ({reference})"
    )
    fr = (
        "Le client a conclu le contrat ({estimate}) à domicile : aucun paiement, sous quelque forme que ce soit, ne peut "
        "être reçu avant la fin du {until} ({reference})"
    )


class SurplusTooEarly(PaymentTooEarly):
    """What exceeds the balance of an invoice is money on account, which may be for a contract concluded at home."""

    balance: Decimal
    currency: Currency
    en = (
        "The client concluded a contract ({estimate}) at home: what exceeds the balance of this invoice, {balance} {currency}, "
        "may not be taken before the end of {until} ({reference}). Take and record the balance now, the rest after that day"
    )
    fr = (
        "Le client a conclu un contrat ({estimate}) à domicile : ce qui dépasse le solde de cette facture, {balance} "
        "{currency}, ne peut être reçu avant la fin du {until} ({reference}). Encaissez et enregistrez le solde "
        "maintenant, le reste après cette date"
    )


async def contract_of(visit: Intervention, tx: Tx, *, deposit: bool = False) -> Estimate | None:
    """The accepted estimate whose work a visit does: the newest that was accepted before the visit was done.

    For a deposit the newest of the case: it is often asked for on the visit that found out what to do.
    """
    return _newest(await _accepted(visit, tx), None if deposit else visit.done_at)


async def check_payable(visit_id: UUID | None, tx: Tx, *, deposit: bool = False) -> None:
    """Raises `PaymentTooEarly` where the law forbids to take money for the work of a visit as yet."""
    if (contract := await _by_id(visit_id, tx, deposit)) is not None:
        _check(contract, tx)


async def check_payable_by(client_id: UUID, tx: Tx, beyond: Invoice | None = None) -> None:
    """Raises `PaymentTooEarly` where it forbids that for a contract of the client: money on account may be for any.

    `beyond`: it is more than the balance of this invoice.
    """
    query = select(Estimate).where(Estimate.client_id == client_id, Estimate.status == "accepted")
    for contract in await tx.session.scalars(query.order_by(Estimate.id)):
        _check(contract, tx, beyond)


async def too_early_until(invoice: Invoice, tx: Tx) -> date | None:
    """Until when the law forbids to take money for an invoice; None where it does not."""
    contract = await _by_id(invoice.intervention_id, tx, invoice.deposit)
    return contract.unpaid_until(tx.now) if contract else None


def no_payment_mention(until: date | None) -> list[str]:
    """What an invoice says where nothing may be paid until that day."""
    if until is None:
        return []
    law = no_payment_reference(billing().jurisdiction, until)
    return [
        f"Contrat conclu à domicile\N{NO-BREAK SPACE}: aucun paiement ne peut être reçu avant la fin du"
        f" {day(until, 'fr')} ({law})."
    ]


async def debt_of(invoice: Invoice, tx: Tx) -> Decimal:
    """The debt that an invoice is a part of: all invoices of its contract; while more is to come, what was agreed."""
    if invoice.intervention_id is None:
        return invoice.total
    visit = await tx.read(Intervention, invoice.intervention_id, SYSTEM)
    contract = await contract_of(visit, tx, deposit=invoice.deposit)
    visits = await _visits(contract, tx) if contract else [visit]
    its = Invoice.intervention_id.in_({visit.id, *(one.id for one in visits)})
    invoices = list(await tx.session.scalars(select(Invoice).where(its, Invoice.status.in_(COUNTS))))
    # A deposit that was deducted is a part of the invoice that deducts it.
    invoiced = sum((one.total for one in invoices if one.deducted_in is None), ZERO)
    final = any(not one.deposit for one in invoices)
    if final and all(one.status in OVER and one.status != "incomplete" for one in visits):
        return max(invoiced, invoice.total)
    agreed = [one.whole for one in invoices if one.whole] + ([contract.total] if contract else [])
    return max(invoiced, invoice.total, *agreed)


async def debt_by_contract(client_id: UUID, tx: Tx) -> Decimal:
    """The largest sum that a client agreed to and that was not invoiced as a whole: money on account is for that."""
    query = select(Estimate).where(Estimate.client_id == client_id, Estimate.status == "accepted")
    total = Estimate.net + Estimate.tax + func.coalesce(Estimate.stamp, 0)
    for contract in list(await tx.session.scalars(query.order_by(total.desc(), Estimate.id))):
        # What was left incomplete is not all: more is to come.
        visits = {one.id for one in await _visits(contract, tx) if one.status != "incomplete"}
        final = select(Invoice.id).where(
            Invoice.intervention_id.in_(visits), ~Invoice.deposit, Invoice.number.is_not(None)
        )
        if not await tx.session.scalar(final.limit(1)):
            return contract.total
    return ZERO


def _check(contract: Estimate, tx: Tx, beyond: Invoice | None = None) -> None:
    if until := contract.unpaid_until(tx.now):
        law = no_payment_reference(billing().jurisdiction, until)
        called = contract.view().called
        if beyond and beyond.balance > 0:
            left, currency = beyond.balance, beyond.currency
            raise SurplusTooEarly(
                estimate=called, until=until, reference=law, balance=left, currency=currency
            )
        raise PaymentTooEarly(estimate=called, until=until, reference=law)


async def _by_id(visit_id: UUID | None, tx: Tx, deposit: bool) -> Estimate | None:
    if visit_id is None:
        return None
    return await contract_of(await tx.read(Intervention, visit_id, SYSTEM), tx, deposit=deposit)


async def _accepted(visit: Intervention, tx: Tx) -> list[Estimate]:
    return list(await tx.session.scalars(of_same_case(visit).where(Estimate.status == "accepted")))


async def _visits(contract: Estimate, tx: Tx) -> list[Intervention]:
    """The visits that do the work of a contract: of those of its case, the ones that follow no other one."""
    visits = list(await tx.session.scalars(visits_of_case(contract)))
    accepted = await _accepted(visits[0], tx) if visits else []
    return [one for one in visits if _newest(accepted, one.done_at) is contract]


def _newest(accepted: Iterable[Estimate], before: datetime | None) -> Estimate | None:
    dated = [
        (one.accepted.at, one)
        for one in accepted
        if one.accepted and (before is None or one.accepted.at <= before)
    ]
    return max(dated, key=lambda one: one[0])[1] if dated else None
