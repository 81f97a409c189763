"""What a visit is billed: what its client agreed to, else what was done; and what was done beyond the estimate."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from re import split
from typing import NamedTuple

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import NOTHING, Agreed
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, LineRecorded, Supply
from sav_contracts.money import Currency, rounded
from sav_interventions.agreement import agreed_for, last_accepted, visits_of_case, work_of
from sav_interventions.billing import amount, itemised, lines_of
from sav_interventions.model import Estimate, Intervention, Invoice, Payment
from sav_interventions.settings import billing


class Price(NamedTuple):
    """The lines of a draft, what is taken off them, what their VAT depends on, and the estimate that they keep to."""

    lines: Sequence[LineGiven | InvoiceLine]
    discount: Discount | None
    supply: Supply
    agreed: Agreed | None


async def price_of(visit: Intervention, supply: Supply, locale: Locale, tx: Tx) -> Price:
    """What a visit with its work and warranty is billed.

    The visit that completes the work is billed what was agreed: lines, prices, discounts. One that leaves it incomplete
    is billed what was done, as far as that is agreed.
    """
    assert visit.work
    assert visit.warranty
    done, law = lines_of(visit.work, visit.warranty, locale), billing().law
    estimate = await agreed_for(visit, tx)
    if estimate is None or estimate.currency != law.currency:
        said = await last_accepted(visit, tx)
        return Price(done, None, as_agreed(said, supply, None) if said else supply, None)
    supply = as_agreed(estimate, supply, await cashed_on(estimate, tx))
    lines = with_warranty(estimate.lines, visit.warranty)
    discount = fitting(estimate.discount, lines, law.currency)
    whole = itemised(lines, discount, estimate.supply, law)
    elsewhere = await _billed_elsewhere(estimate, visit, tx)
    agreed = Agreed(
        estimate_id=estimate.id,
        estimate=estimate.view().called,
        net=max(whole.net - elsewhere.net, NOTHING),
        gross=max(whole.net + whole.tax - elsewhere.gross, NOTHING),
        beyond=[LineRecorded.model_validate(line.model_dump()) for line in beyond(done, lines)],
    )
    if visit.status == "incomplete":
        return Price(done, None, supply, agreed)
    return Price(lines, discount, supply, agreed)


def with_warranty(lines: Sequence[InvoiceLine], warranty: Warranty) -> list[InvoiceLine]:
    """The agreed lines; a warranty that was decided since pays its share of them too."""
    shares = {"labour": warranty.labour, "part": warranty.parts, "travel": warranty.travel}
    # What has one price for all is paid as far as labour and parts are.
    whole = min(warranty.labour, warranty.parts)
    return [
        line.model_copy(update={"covered": max(line.covered, shares.get(line.kind, whole))}) for line in lines
    ]


def fitting(discount: Discount | None, lines: Sequence[InvoiceLine], currency: Currency) -> Discount | None:
    """The agreed discount, no more than what is left of the lines once a warranty pays its share."""
    if discount is None or discount.amount is None:
        return discount
    left = sum((amount(line, currency) for line in lines), NOTHING)
    return discount.model_copy(update={"amount": min(discount.amount, left)}) if left else None


def as_agreed(estimate: Estimate, supply: Supply, agreed_on: date | None) -> Supply:
    """What the VAT depends on: as the estimate says, on the day of the supply, with what was fitted in fact."""
    said = estimate.supply
    burns = said.fossil_heating
    if burns is None and supply.works == "install":
        # What was installed may be known by now; of other visits nobody but the estimate says what it sells.
        burns = supply.fossil_heating
    return said.model_copy(
        update={
            "on": supply.on,
            "agreed_on": agreed_on,
            "works": supply.works if "diagnosis" in {said.works, supply.works} else said.works,
            "country": said.country if said.postcode else supply.country,
            "postcode": said.postcode or supply.postcode,
            "older_dwelling": said.older_dwelling or supply.older_dwelling,
            "energy_saving": said.energy_saving or supply.energy_saving,
            "fossil_heating": supply.fossil_heating or burns,
        }
    )


async def cashed_on(estimate: Estimate, tx: Tx) -> date | None:
    """Since which day an estimate is accepted and a deposit of it is cashed; None where none is.

    Where the law changes a rate, it keeps the earlier one for what was agreed in this way before.
    """
    if estimate.accepted is None:
        return None
    visits = visits_of_case(estimate).with_only_columns(Intervention.id).order_by(None)
    deposits = select(Invoice.id).where(
        Invoice.intervention_id.in_(visits), Invoice.deposit, Invoice.deducted_in.is_(None)
    )
    payments = await tx.session.scalars(select(Payment).where(Payment.invoice_id.in_(deposits)))
    paid = min((one.received_on for one in payments if one.counted > 0), default=None)
    return max(paid, estimate.day(estimate.accepted.at)) if paid else None


class Billed(NamedTuple):
    net: Decimal
    gross: Decimal


async def _billed_elsewhere(estimate: Estimate, visit: Intervention, tx: Tx) -> Billed:
    """What the invoices of other visits bill of the agreed work, excluding and including VAT."""
    visits = work_of(estimate).where(Intervention.id != visit.id).with_only_columns(Intervention.id)
    invoices = select(Invoice).where(
        Invoice.intervention_id.in_(visits.order_by(None)),
        ~Invoice.deposit,
        Invoice.status.not_in(("discarded", "credited")),
    )
    found = [Billed(one.net, one.net + one.tax) for one in await tx.session.scalars(invoices)]
    return Billed(sum((one.net for one in found), NOTHING), sum((one.gross for one in found), NOTHING))


def beyond(done: Sequence[LineGiven], agreed: Sequence[InvoiceLine]) -> list[LineGiven]:
    """What was done, is paid by the client, and was not agreed: more labour or travel, more of a part, or another part.

    A price for the whole includes labour and travel, however long that took.
    """
    paid = [line for line in done if line.covered < 100]
    whole = any(_is_for_the_whole(line) for line in agreed)
    found = [] if whole else [*_more_labour(paid, agreed), *_more_travel(paid, agreed)]
    return [*found, *_other_parts(paid, agreed)]


def _is_for_the_whole(line: InvoiceLine) -> bool:
    return line.kind == "fixed" or line.unit == "flat" or (line.kind == "labour" and line.unit != "hour")


def _more_labour(done: Sequence[LineGiven], agreed: Sequence[InvoiceLine]) -> Iterator[LineGiven]:
    worked = [line for line in done if line.kind == "labour"]
    minutes = sum(line.minutes or line.quantity * 60 for line in agreed if line.kind == "labour")
    more = int(sum(line.minutes or 0 for line in worked) - minutes)
    if more > 0:
        hours = rounded(Decimal(more) / 60, "EUR")
        yield worked[-1].model_copy(update={"minutes": more, "quantity": hours})


def _more_travel(done: Sequence[LineGiven], agreed: Sequence[InvoiceLine]) -> Iterator[LineGiven]:
    left = sum((line.quantity for line in agreed if line.kind == "travel"), NOTHING)
    for line in done:
        if line.kind == "travel" and line.quantity > left:
            yield line.model_copy(update={"quantity": line.quantity - left})


def _other_parts(done: Sequence[LineGiven], agreed: Sequence[InvoiceLine]) -> Iterator[LineGiven]:
    left = [line.quantity for line in agreed]
    for part in done:
        if part.kind != "part":
            continue
        more = part.quantity
        for place, line in enumerate(agreed):
            if _is_same(part, line):
                taken = min(left[place], more)
                left[place], more = left[place] - taken, more - taken
        if more > 0:
            yield part.model_copy(update={"quantity": more})


def _is_same(part: LineGiven, line: InvoiceLine) -> bool:
    """Whether an agreed line is about this part: by its article, else by the reference in its words."""
    if line.kind in {"labour", "travel"}:
        return False
    if line.article_id:
        return line.article_id == part.article_id
    return part.description == line.description or _words(part)[-1] in _words(line)


def _words(line: LineRecorded) -> list[str]:
    return [word for word in split(r"[\s()]+", line.description) if word]
