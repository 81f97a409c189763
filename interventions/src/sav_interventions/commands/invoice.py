"""Commands about invoices, for managers."""

from datetime import timedelta

from sav_chassis.errors import Conflict, Invalid, WrongField
from sav_chassis.money import check_decimals
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.interventions.invoice import (
    BillVisit,
    ChangeInvoice,
    DiscardInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceIssued,
    InvoicePaid,
    IssueInvoice,
)
from sav_contracts.interventions.line import Discount, Supply
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_interventions import deposits
from sav_interventions.above_estimate import AboveWithdrawn, NotFromEstimate, is_dearer, with_reason
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words
from sav_interventions.concluded import check_payable, no_payment_mention, too_early_until
from sav_interventions.days import today
from sav_interventions.effects import print_invoice
from sav_interventions.model import Estimate, Intervention
from sav_interventions.model.invoice import Invoice, Series
from sav_interventions.nature import nature_of
from sav_interventions.reactions.billing import (
    NOT_CLOSED,
    NOTHING_DONE,
    NOTHING_TO_PAY,
    UNDECIDED,
    WITHDRAWN,
    bill,
)
from sav_interventions.replaced import replaced_mention, standing
from sav_interventions.settings import billing
from sav_interventions.supplied import (
    StaysADiagnosis,
    as_named,
    as_said,
    check_is_of_order,
    check_subcontracted,
    works_of,
)

# Why nothing is drafted, as people read it.
WHY_NOT = {
    NOT_CLOSED: Text("its report is not validated yet", "son rapport n’est pas encore validé"),
    NOTHING_DONE: Text("no work was recorded", "aucun travail n’y est consigné"),
    UNDECIDED: Text("decide first who pays", "décidez d’abord qui paie"),
    WITHDRAWN: Text("its client withdrew, and owes nothing", "le client s’est rétracté et ne doit rien"),
    NOTHING_TO_PAY: Text("a warranty pays everything", "une garantie prend tout en charge"),
}


class NoDraft(Conflict):
    """An issued invoice does not change; a credit note corrects it."""

    code = "no_draft"
    state: Text
    en = "The invoice is {state}: only a draft is changed"
    fr = "La facture est à l’état « {state} » : seul un brouillon peut être modifié"


class InvoiceStands(Conflict):
    """A visit has one invoice at a time: a wrong one is credited as a whole first."""

    code = "invoice_stands"
    en = "The visit has an invoice or a draft: credit the whole of it first, or change the draft"
    fr = "L’intervention a déjà une facture ou un brouillon : établissez d’abord un avoir pour la totalité, ou modifiez le brouillon"


class NothingToBill(Conflict):
    """Nobody owes anything for the visit, or it is not known yet who does."""

    code = "nothing_to_bill"
    why: Text
    en = "Nothing of this visit is to be invoiced: {why}"
    fr = "Rien n’est à facturer pour cette intervention : {why}"


class SayWhatChanges(Invalid):
    en = "Say what is to be changed: lines, discount, buyer, certified, supply or above_estimate"
    fr = "Indiquez ce qu’il faut modifier : lines, discount, acheteur, certified, supply ou above_estimate"


class PrivateBuyer(WrongField):
    field: str = "buyer_kind"
    en = "a private person has no SIREN and no tax number"
    fr = "un particulier n’a ni SIREN ni numéro de TVA"


class AnotherFirm(WrongField):
    field: str = "buyer_tax_number"
    en = "it is of another firm than the SIREN: a French VAT number ends with the firm’s SIREN"
    fr = "il désigne une autre entreprise que le SIREN : un numéro de TVA français se termine par le SIREN"


@interventions.command(ChangeInvoice)
async def change_invoice(cmd: ChangeInvoice, tx: Tx, by: Actor) -> Invoice:
    """Change the lines or the buyer of a draft, what is taken off, or what its VAT depends on."""
    said = cmd.model_dump(exclude={"invoice_id"}, exclude_none=True)
    if not said and "discount" not in cmd.model_fields_set:
        raise SayWhatChanges
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    if invoice.status != "draft":
        raise NoDraft(state=label(invoice.status))
    if cmd.lines:
        check_amount(cmd.lines, "lines")
        check_words(cmd.lines, "lines")
    discount = _discount(invoice, cmd)
    invoice.edited = invoice.edited or bool(cmd.lines) or discount != invoice.discount
    invoice.buyer = invoice.buyer.model_copy(update=_about_buyer(cmd, invoice.buyer.siren))
    if invoice.buyer.siren and _siren_in(invoice.buyer.tax_number) not in (None, invoice.buyer.siren):
        raise AnotherFirm
    if cmd.above_estimate and not (invoice.agreed or invoice.unestimated):
        raise NotFromEstimate
    before, bases = (invoice.net, invoice.tax), {one.vat_class: one.base for one in invoice.vat}
    supply = await as_named(_supplied(invoice, cmd), cmd.lines or invoice.lines, tx)
    await _check_supply(supply, invoice, cmd, tx)
    invoice.itemise(cmd.lines or invoice.lines, billing().law, supply, discount)
    more = invoice.net > before[0] or invoice.net + invoice.tax > sum(before)
    more_of_rate = any(one.base > bases.get(one.vat_class, 0) for one in invoice.vat)
    if invoice.deposit and (more or more_of_rate):
        await deposits.check_within(tx, invoice, "lines" if cmd.lines else "body")
    if cmd.above_estimate or more:
        # Why it goes beyond what was agreed to was said of less, where nobody says it anew.
        invoice.agreed = with_reason(invoice.agreed, cmd.above_estimate)
        invoice.unestimated = with_reason(invoice.unestimated, cmd.above_estimate)
    tx.emit(invoice, InvoiceChanged())
    return invoice


async def _check_supply(supply: Supply, invoice: Invoice, cmd: ChangeInvoice, tx: Tx) -> None:
    """Raises where what somebody says of a supply is not what was ordered or done."""
    check_subcontracted(supply, billing().law)
    if invoice.order_id:
        check_is_of_order(supply, invoice.supply, billing().law)
    works = cmd.supply.works if cmd.supply else None
    if invoice.intervention_id is None or invoice.deposit or works in {None, "diagnosis"}:
        return
    visit = await tx.session.get(Intervention, invoice.intervention_id)
    fitted = any(line.kind == "part" for line in cmd.lines or invoice.lines)
    if visit and works_of(visit) == "diagnosis" and not fitted:
        raise StaysADiagnosis


def _discount(invoice: Invoice, cmd: ChangeInvoice) -> Discount | None:
    discount = cmd.discount if "discount" in cmd.model_fields_set else invoice.discount
    if discount and discount.amount:
        check_decimals(discount.amount, invoice.currency, "discount.amount")
    return discount


def _supplied(invoice: Invoice, cmd: ChangeInvoice) -> Supply:
    supply = invoice.supply or Supply(on=invoice.supplied_on, country=billing().law.countries[0])
    supply = as_said(supply, cmd.supply)
    said = {"certified": cmd.certified, "buyer": invoice.buyer.kind}
    return supply.model_copy(update={name: value for name, value in said.items() if value is not None})


@interventions.command(BillVisit)
async def bill_visit(cmd: BillVisit, tx: Tx, by: Actor) -> Invoice:
    """Draft the invoice of a visit anew. The visit is locked, so nobody else bills it meanwhile."""
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    if await tx.session.scalar(standing(visit.id).limit(1)):
        raise InvoiceStands
    billed = await bill(visit, tx)
    if not isinstance(billed, Invoice):
        raise NothingToBill(why=WHY_NOT[billed or NOTHING_TO_PAY])
    return billed


@interventions.command(DiscardInvoice)
async def discard_invoice(cmd: DiscardInvoice, tx: Tx, by: Actor) -> Invoice:
    """Discard a draft, with the reason."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    invoice.discard(cmd.reason, by)
    tx.emit(invoice, InvoiceDiscarded(reason=cmd.reason))
    return invoice


@interventions.command(IssueInvoice)
async def issue_invoice(cmd: IssueInvoice, tx: Tx, by: Actor) -> Invoice:
    """Issue a draft. Its number is drawn last, because the row of the series is locked until the transaction ends."""
    invoice = await tx.load(Invoice, cmd.invoice_id, by)
    law = billing().law
    invoice.check_complete(by)
    if invoice.intervention_id:
        await deposits.one_at_a_time(tx, invoice.intervention_id)
        if invoice.deposit:
            await deposits.check_not_invoiced(tx, invoice.intervention_id, invoice.agreed)
            await check_payable(invoice.intervention_id, tx, deposit=True)
            await deposits.check_within(tx, invoice)
        else:
            await _check_withdrawn(invoice, tx)
            await deposits.deduct(tx, invoice)
    on = today(tx)
    due = timedelta(days=billing().deposit_due_days if invoice.deposit else law.due_days)
    early = await too_early_until(invoice, tx)
    usual = law.mentions_on(invoice.seller, invoice.buyer, nature_of(invoice.supply, invoice.lines))
    mentions = [*usual, *await replaced_mention(invoice, tx), *no_payment_mention(early)]
    invoice.issue(await Series.in_use(tx, "invoice", on), on, mentions, due, by)
    invoice.issued_at = tx.now
    tx.later(print_invoice, invoice.id)
    tx.emit(invoice, InvoiceIssued(too_early_until=early))
    invoice.follow_balance(by)
    if invoice.status == "paid":
        # The deposits leave nothing of it.
        tx.emit(invoice, InvoicePaid())
    return invoice


async def _check_withdrawn(invoice: Invoice, tx: Tx) -> None:
    """Raises where more is billed than was agreed to by an estimate from which the client withdrew."""
    if invoice.agreed is None or not is_dearer(invoice, invoice.agreed):
        return
    if (await tx.read(Estimate, invoice.agreed.estimate_id, SYSTEM)).status == "withdrawn":
        raise AboveWithdrawn(estimate=invoice.agreed.estimate)


def _about_buyer(cmd: ChangeInvoice, siren: str | None) -> dict[str, str | None]:
    """What changes of the buyer. A number makes them a business, and a French one tells both; a private person has none.

    A SIREN that was said stays until another one is said.
    """
    given: dict[str, str | None] = {
        "name": cmd.buyer_name,
        "address": cmd.buyer_address,
        "kind": cmd.buyer_kind,
        "siren": cmd.buyer_siren or (None if siren else _siren_in(cmd.buyer_tax_number)),
        "tax_number": cmd.buyer_tax_number,
    }
    changes: dict[str, str | None] = {name: value for name, value in given.items() if value}
    if changes.keys() & {"siren", "tax_number"}:
        if cmd.buyer_kind == "private":
            raise PrivateBuyer
        changes["kind"] = "business"
    elif cmd.buyer_kind == "private":
        changes |= {"siren": None, "tax_number": None}
    return changes


def _siren_in(tax_number: str | None) -> str | None:
    """The SIREN that a French VAT number ends with; those of Monaco have zeros there."""
    french = tax_number and tax_number.startswith("FR") and tax_number[4:7] != "000"
    return tax_number[4:] if tax_number and french else None
