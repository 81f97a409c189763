"""Deposit invoices: drafted from an agreed price, named and deducted once by the final invoice of their case."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from sqlalchemy import Select, select

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.fields import Locale
from sav_contracts.claims.reclamation import ReclamationStatus, ReclamationView
from sav_contracts.interventions.invoice import (
    NOTHING,
    Agreed,
    DeductedDeposit,
    DepositLeftOver,
    InvoiceChanged,
)
from sav_contracts.interventions.line import LineGiven, Supply, VatTotal
from sav_contracts.money import Currency, as_money, rounded, smallest
from sav_interventions.agreed_price import Billed, whole_for_client
from sav_interventions.agreement import (
    Case,
    does_work_of,
    is_diagnosis,
    last_accepted,
    visits_of_case,
    work_of,
)
from sav_interventions.lifecycle import DID_NOT_HAPPEN
from sav_interventions.model.credit_note import CreditNote
from sav_interventions.model.estimate import Estimate
from sav_interventions.model.invoice import DepositsExceed, Invoice
from sav_interventions.model.visit import Intervention
from sav_interventions.settings import billing

DEPOSIT: dict[Locale, str] = {
    "fr": "Acompte de {percent}\u00a0% (TVA {rate}\u00a0%)",
    "en": "Deposit of {percent}% (VAT {rate}%)",
}
# The states of invoices that count: neither drafts nor what was taken back as a whole.
COUNTS = ("issued", "partly_paid", "paid")
# Nothing will be done for réclamations in these states; why their drafts of deposits are discarded, as managers read it.
GIVEN_UP: dict[ReclamationStatus, str] = {
    "cancelled": "La réclamation est annulée.",
    "rejected": "La réclamation est rejetée.",
}


class InvoicedAlready(Conflict):
    """After the final invoice a deposit would be owed beside it."""

    code = "invoiced_already"
    en = "The visit is invoiced already: nothing is left for a deposit"
    fr = "L’intervention est déjà facturée : il n’y a plus lieu à acompte"


class DepositOfAnother(Conflict):
    """A deposit is a part of what the same buyer pays at the same place: else its VAT would be taken off another's."""

    code = "deposit_of_another"
    number: str
    buyer: str
    en = (
        "The deposit {number} was invoiced to {buyer}, with the rates of its place: name the same buyer and place in the "
        "draft, or credit the deposit first"
    )
    fr = (
        "L’acompte {number} a été facturé à {buyer}, aux taux de son lieu\N{NO-BREAK SPACE}: indiquez le même acheteur et le même lieu dans "
        "le brouillon, ou établissez d’abord un avoir de l’acompte"
    )


class DepositNotOwed(Conflict):
    """A client is not asked for it meanwhile; managers credit it."""

    code = "deposit_not_owed"
    en = "By now less is owed for this work than its deposits ask for: they are corrected before anything is paid"
    fr = (
        "Il est désormais dû moins pour ces travaux que ce que demandent leurs acomptes\N{NO-BREAK SPACE}: ils seront "
        "corrigés avant tout paiement"
    )


class DepositsBeyondRate(WrongField):
    rate: Decimal
    net: Decimal
    currency: Currency
    en = "of what the accepted estimate says at {rate}% VAT, at most {net} {currency} excluding VAT is left for deposits"
    fr = "de ce que le devis accepté prévoit à {rate}\N{NO-BREAK SPACE}% de TVA, il reste au plus {net} {currency} HT pour des acomptes"


class DepositsBeyond(WrongField):
    net: Decimal
    gross: Decimal
    currency: Currency
    en = (
        "the deposits of a case may not be more than its accepted estimate, less what a warranty pays: at most {net} "
        "{currency} is left, {gross} {currency} including VAT"
    )
    fr = (
        "les acomptes d’un dossier ne peuvent pas dépasser le devis accepté, déduction faite de ce qu’une garantie "
        "prend en charge : il reste au plus {net} {currency} HT, {gross} {currency} TTC"
    )


def deposit_lines(
    vat: Sequence[VatTotal],
    percent: int,
    currency: Currency,
    locale: Locale,
    asked: Sequence[VatTotal] = (),
) -> list[LineGiven]:
    """A line for each rate of an agreed price: so many percent of its base.

    Where deposits before `asked` for all but that, no cent more than is left, nor of its VAT: each was rounded.
    """
    words = DEPOSIT[locale]
    bases = [(total, _part(total, percent, currency, asked)) for total in vat]
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


def _part(total: VatTotal, percent: int, currency: Currency, asked: Sequence[VatTotal]) -> Decimal:
    part, cent = rounded(total.base * percent / 100, currency), smallest(currency)
    before = [one for one in asked if one.vat_class == total.vat_class]
    left = total.base - sum((one.base for one in before), NOTHING)
    vat_left = total.vat - sum((one.vat for one in before), NOTHING)
    part = left if part - left == cent else part
    if part > left or vat_left < 0 or rounded(part * total.rate / 100, currency) - vat_left != cent:
        return part
    # The most of which the VAT is what is left of it; the final invoice bills the few cents between.
    return ((vat_left + cent / 2) * 100 / total.rate).quantize(cent, ROUND_CEILING) - cent


async def check_within(tx: Tx, deposit: Invoice, field: str | None = None) -> None:
    """Raises where this deposit and the others of its case are more than the client pays of their accepted estimate.

    Where it is written, drafts count too: `DepositsBeyond`, which names the field. Where it is issued: `DepositsExceed`.
    Nobody else drafts or issues one of the case meanwhile.
    """
    assert deposit.intervention_id, "a deposit is for a visit"
    await one_at_a_time(tx, deposit.intervention_id)
    visit = await tx.read(Intervention, deposit.intervention_id, SYSTEM)
    most = await _most(visit, tx)
    if most is None:
        return
    others = await asked_of(visit, tx, but=deposit.id, drafts=field is not None)
    net = most.net - sum((one.net for one in others), NOTHING)
    gross = most.gross - sum((one.net + one.tax for one in others), NOTHING)
    if deposit.net <= net and deposit.net + deposit.tax <= gross:
        if field and (estimate := await last_accepted(visit, tx)):
            whole, _ = await whole_for_client(estimate, tx, _taxed_as(estimate, deposit))
            _check_rates(deposit, whole.vat, others, field)
        return
    if field:
        left = [as_money(max(one, NOTHING)) for one in (net, gross)]
        raise DepositsBeyond(field=field, net=left[0], gross=left[1], currency=deposit.currency)
    asked = as_money(most.gross - gross + deposit.net + deposit.tax)
    raise DepositsExceed(deposits=asked, total=as_money(most.gross), currency=deposit.currency)


def _taxed_as(estimate: Estimate, deposit: Invoice) -> Supply:
    """What the VAT of the agreed work depends on by now: as the deposit says, which takes back nothing that was certified."""
    said, now = estimate.supply, deposit.supply or estimate.supply
    kept = ("certified", "older_dwelling", "energy_saving")
    return now.model_copy(update={one: getattr(said, one) or getattr(now, one) for one in kept})


def _check_rates(
    deposit: Invoice, whole: Sequence[VatTotal], others: Sequence[Invoice | DeductedDeposit], field: str
) -> None:
    """Raises `DepositsBeyondRate` where the final invoice would take off more of a rate than it bills."""
    before = [total for one in others for total in one.vat]
    for asked in deposit.vat:
        agreed, taken = (
            sum((one.base for one in some if one.vat_class == asked.vat_class), NOTHING)
            for some in (whole, before)
        )
        if asked.base > (left := agreed - taken):
            net = as_money(max(left, NOTHING))
            raise DepositsBeyondRate(field=field, rate=asked.rate, net=net, currency=deposit.currency)


async def asked_of(
    visit: Intervention, tx: Tx, *, but: UUID | None = None, drafts: bool = True
) -> list[Invoice | DeductedDeposit]:
    """The deposits of a visit's case that no final invoice deducts: less what was credited of them, and the drafts."""
    query = _undeducted(visits_of_case(visit)).where(
        Invoice.status.in_(("draft", *COUNTS) if drafts else COUNTS), Invoice.id.is_distinct_from(but)
    )
    found = list(await tx.session.scalars(query))
    return [one if one.status == "draft" else await _deducted(tx, one) for one in found]


async def check_still_owed(deposit: Invoice, tx: Tx) -> None:
    """Raises `DepositNotOwed` where the client owes less than was asked for: a warranty pays since, or nothing is done."""
    if deposit.intervention_id is None or deposit.deducted_in:
        return
    visit = await tx.read(Intervention, deposit.intervention_id, SYSTEM)
    most = await _most(visit, tx)
    if most and await _asked(visit, tx) > most.gross:
        raise DepositNotOwed


async def tell_beyond(visit: Intervention, tx: Tx) -> None:
    """Tells of the deposits of a case that ask for more than its client pays, now that it is decided who does."""
    most = await _most(visit, tx)
    if most is None or await _goes_on(visit, tx) or await _asked(visit, tx) <= most.gross:
        return
    query = _undeducted(visits_of_case(visit)).where(Invoice.status.in_(COUNTS)).with_for_update()
    for deposit in list(await tx.session.scalars(query)):
        tx.emit(deposit, DepositLeftOver(most=as_money(most.gross) or None))


async def _asked(visit: Intervention, tx: Tx) -> Decimal:
    """What the issued deposits of a case ask for, VAT included."""
    issued = await asked_of(visit, tx, drafts=False)
    return as_money(sum((one.net + one.tax for one in issued), NOTHING))


async def _most(visit: Intervention, tx: Tx) -> Billed | None:
    """What deposits of a visit's case may amount to; None where no estimate says it, and the client pays for the visit."""
    case = await tx.copies(ReclamationView).one(visit.reclamation_id) if visit.reclamation_id else None
    if case and case.status in GIVEN_UP:
        return Billed(NOTHING, NOTHING)
    if estimate := await last_accepted(visit, tx):
        _, left = await whole_for_client(estimate, tx)
        return left
    covered = visit.warranty is not None and visit.warranty.decision == "covered"
    return Billed(NOTHING, NOTHING) if covered and not is_diagnosis(visit) else None


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
    found = await _to_deduct(invoice, tx, locked=True)
    for deposit in found:
        if not _is_for_same(deposit, invoice):
            raise DepositOfAnother(number=deposit.number or "", buyer=deposit.buyer.name)
    deducted = [await _deducted(tx, deposit) for deposit in sorted(found, key=lambda one: one.number or "")]
    invoice.deduct(deducted)
    for deposit in found:
        deposit.deducted_in = invoice.id
        tx.emit(deposit, InvoiceChanged())


def _is_for_same(deposit: Invoice, invoice: Invoice) -> bool:
    """Whether both name the same buyer, who may have moved, and are taxed by the rates of the same area."""
    areas = {billing().law.area(one.supply) for one in (deposit, invoice) if one.supply}
    return deposit.buyer.is_same_as(invoice.buyer) and len(areas) < 2


async def _to_deduct(invoice: Invoice, tx: Tx, locked: bool = False) -> list[Invoice]:
    """The deposits that a final invoice is to deduct."""
    visit = await tx.session.get(Intervention, invoice.intervention_id) if invoice.intervention_id else None
    if visit is None or (visit.status == "incomplete" and await _goes_on(visit, tx)):
        return []
    visits = visits_of_case(visit).where(Intervention.created_at <= visit.created_at)
    query = _undeducted(visits).where(Invoice.status.in_(COUNTS))
    # A deposit that was credited as a whole meanwhile has another status now, and is not found.
    found = await tx.session.scalars(query.with_for_update() if locked else query)
    return [one for one in list(found) if await _is_for(one, visit, tx)]


async def exceed(invoice: Invoice, tx: Tx) -> bool:
    """Whether the deposits that a draft is to deduct are more than it asks for."""
    if invoice.deposit:
        return False
    deducted = [await _deducted(tx, deposit) for deposit in await _to_deduct(invoice, tx)]
    return sum((one.total for one in deducted), NOTHING) > invoice.total


async def tell_left_over(visit: Intervention, tx: Tx) -> None:
    """Tells of the deposits for the work of a visit, of which nothing is billed now that it is completed."""
    if visit.status != "completed" or is_diagnosis(visit) or await _goes_on(visit, tx):
        return
    query = _undeducted(visits_of_case(visit)).where(Invoice.status.in_(COUNTS)).with_for_update()
    for deposit in list(await tx.session.scalars(query)):
        if await _is_for(deposit, visit, tx):
            tx.emit(deposit, DepositLeftOver())


async def waits_for_draft(deposit: Invoice, tx: Tx) -> bool:
    """Whether a deposit is for work of which the final invoice is drafted: that deducts it when it is issued."""
    assert deposit.intervention_id, "a deposit is for a visit"
    visit = await tx.read(Intervention, deposit.intervention_id, SYSTEM)
    drafted = select(Invoice.intervention_id).where(~Invoice.deposit, Invoice.status == "draft")
    visits = await tx.session.scalars(visits_of_case(visit).where(Intervention.id.in_(drafted)))
    return any([await _is_for(deposit, one, tx) for one in visits])


def _undeducted(visits: Select[Intervention]) -> Select[Invoice]:
    """The deposits of these visits that no final invoice deducts, in the order of their ids."""
    ids = visits.with_only_columns(Intervention.id).order_by(None)
    of_them = Invoice.intervention_id.in_(ids), Invoice.deposit, Invoice.deducted_in.is_(None)
    return select(Invoice).where(*of_them).order_by(Invoice.id)


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
