"""Deposit invoices: drafted from an agreed price, named and deducted once by the final invoice of their case."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import (
    NOTHING,
    Agreed,
    DeductedDeposit,
    InvoiceChanged,
)
from sav_contracts.interventions.line import LineGiven, VatTotal
from sav_contracts.money import Currency, as_money, rounded
from sav_interventions.agreement import Case, does_work_of, visits_of_case, work_of
from sav_interventions.lifecycle import DID_NOT_HAPPEN
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.estimate import Estimate
from sav_interventions.model.invoice import Invoice
from sav_interventions.model.visit import Intervention

DEPOSIT: dict[Locale, str] = {
    "fr": "Acompte de {percent}\u00a0% (TVA {rate}\u00a0%)",
    "en": "Deposit of {percent}% (VAT {rate}%)",
}
# The states of invoices that count: neither drafts nor what was taken back as a whole.
COUNTS = ("issued", "partly_paid", "paid")


class InvoicedAlready(Conflict):
    """After the final invoice a deposit would be owed beside it."""

    code = "invoiced_already"
    en = "The visit is invoiced already: nothing is left for a deposit"
    fr = "L’intervention est déjà facturée : il n’y a plus lieu à acompte"


class DepositsBeyond(WrongField):
    field: str = "percent"
    left: int
    en = "the deposits of this estimate may not be more than it: at most {left}% is left"
    fr = "les acomptes de ce devis ne peuvent pas le dépasser : il reste au plus {left} %"


def deposit_lines(
    vat: Sequence[VatTotal], percent: int, currency: Currency, locale: Locale
) -> list[LineGiven]:
    """A line for each rate of an agreed price: so many percent of its base."""
    words = DEPOSIT[locale]
    bases = [(total, rounded(total.base * percent / 100, currency)) for total in vat]
    return [
        LineGiven(
            kind="other",
            description=words.format(percent=percent, rate=f"{total.rate.normalize():f}"),
            quantity=Decimal(1),
            unit="flat",
            unit_price=base,
            vat_class=total.vat_class,
        )
        for total, base in bases
        if base
    ]


async def check_within(tx: Tx, estimate: Estimate, percent: int) -> None:
    """Raises `DepositsBeyond` where the deposits of an estimate, drafts too, would be more than it.

    The estimate is locked: nobody else drafts one meanwhile.
    """
    visits = visits_of_case(estimate).with_only_columns(Intervention.id).order_by(None)
    found = await tx.session.scalars(
        select(Invoice).where(
            Invoice.intervention_id.in_(visits), Invoice.deposit, Invoice.status.in_(("draft", *COUNTS))
        )
    )
    asked = sum((one.net for one in found if one.agreed and one.agreed.estimate_id == estimate.id), NOTHING)
    # Each was rounded to the cent; their percentages are whole.
    left = round(100 * (estimate.net - asked) / estimate.net)
    if percent > left:
        raise DepositsBeyond(left=max(left, 0))


async def one_at_a_time(tx: Tx, visit_id: UUID) -> None:
    """Nobody else issues a deposit or a final invoice of the visit's case until the transaction ends."""
    await Case.of(await tx.read(Intervention, visit_id, SYSTEM)).lock(tx, "billing")


async def check_not_invoiced(tx: Tx, visit_id: UUID, agreed: Agreed | None = None) -> None:
    """Raises `InvoicedAlready` where the final invoice of the visit, or of one that followed it, was issued.

    For a deposit of an estimate: where that of the agreed work was. What a visit that left the work incomplete is billed
    is not the final invoice.
    """
    if agreed:
        visits = work_of(await tx.read(Estimate, agreed.estimate_id, SYSTEM))
    else:
        visit = await tx.read(Intervention, visit_id, SYSTEM)
        visits = visits_of_case(visit).where(Intervention.created_at >= visit.created_at)
    query = select(Invoice.id).where(
        Invoice.intervention_id.in_(
            visits.where(Intervention.status != "incomplete")
            .with_only_columns(Intervention.id)
            .order_by(None)
        ),
        ~Invoice.deposit,
        Invoice.status.in_(COUNTS),
    )
    if await tx.session.scalar(query.limit(1)):
        raise InvoicedAlready


async def deduct(tx: Tx, invoice: Invoice) -> None:
    """Names in a final invoice the deposits of its case that no other one deducts, and marks these.

    Those of visits that followed are for later work. Where a visit left the work to a further one, its invoice is not the
    final one.
    """
    if invoice.intervention_id is None:
        return
    visit = await tx.read(Intervention, invoice.intervention_id, SYSTEM)
    if visit.status == "incomplete" and await _goes_on(visit, tx):
        return
    visits = visits_of_case(visit).where(Intervention.created_at <= visit.created_at)
    query = (
        select(Invoice)
        .where(
            Invoice.intervention_id.in_(visits.with_only_columns(Intervention.id).order_by(None)),
            Invoice.deposit,
            Invoice.status.in_(COUNTS),
            Invoice.deducted_in.is_(None),
        )
        .order_by(Invoice.id)
        .with_for_update()
    )
    # A deposit that was credited as a whole meanwhile has another status now, and is not found.
    found = [one for one in await tx.session.scalars(query) if await _is_for(one, visit, tx)]
    deducted = [await _deducted(tx, deposit) for deposit in sorted(found, key=lambda one: one.number or "")]
    invoice.deduct(deducted)
    for deposit in found:
        deposit.deducted_in = invoice.id
        tx.emit(deposit, InvoiceChanged())


async def _goes_on(visit: Intervention, tx: Tx) -> bool:
    """Whether a later visit of its case is to do the rest of the work, or did it."""
    later = visits_of_case(visit).where(
        Intervention.created_at > visit.created_at, Intervention.status.not_in(DID_NOT_HAPPEN)
    )
    return await tx.session.scalar(later.limit(1)) is not None


async def _is_for(deposit: Invoice, visit: Intervention, tx: Tx) -> bool:
    """Whether a deposit is for what a visit did: one of an estimate is for the agreed work, not for the diagnosis before it."""
    if deposit.agreed is None:
        return True
    return does_work_of(await tx.read(Estimate, deposit.agreed.estimate_id, SYSTEM), visit)


async def free(tx: Tx, invoice: Invoice) -> None:
    """Frees the deposits of a final invoice that was credited as a whole: the next one deducts them, or a credit note."""
    query = select(Invoice).where(Invoice.deducted_in == invoice.id).order_by(Invoice.id).with_for_update()
    for deposit in list(await tx.session.scalars(query)):
        deposit.deducted_in = None
        tx.emit(deposit, InvoiceChanged())


async def _deducted(tx: Tx, deposit: Invoice) -> DeductedDeposit:
    """A deposit as it is deducted: less what was credited of it."""
    notes = await tx.session.scalars(select(CreditNote).where(CreditNote.invoice_id == deposit.id))
    credited = [total for note in notes for total in note.vat]
    vat = [
        _less(total, [one for one in credited if one.vat_class == total.vat_class]) for total in deposit.vat
    ]
    assert deposit.number is not None
    assert deposit.issued_on is not None
    net = as_money(sum((total.base for total in vat), NOTHING))
    tax = as_money(sum((total.vat for total in vat), NOTHING))
    return DeductedDeposit(
        invoice_id=deposit.id,
        number=deposit.number,
        issued_on=deposit.issued_on,
        vat=vat,
        net=net,
        tax=tax,
        total=net + tax,
    )


def _less(total: VatTotal, credited: Sequence[VatTotal]) -> VatTotal:
    return total.model_copy(
        update={
            "base": as_money(total.base - sum((one.base for one in credited), NOTHING)),
            "vat": as_money(total.vat - sum((one.vat for one in credited), NOTHING)),
        }
    )
