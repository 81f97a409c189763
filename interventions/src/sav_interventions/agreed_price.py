"""What a visit is billed: what its client agreed to, else what was done; and what was done beyond the estimate."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from re import split
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import select

from sav_chassis.tx import Tx
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.invoice import NOTHING, Agreed
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, LineRecorded, Supply
from sav_contracts.money import Currency, rounded
from sav_interventions.agreement import agreed_for, last_accepted, visits_of_case, work_of
from sav_interventions.billing import Itemised, amount, itemised, lines_of
from sav_interventions.lifecycle import DID_NOT_HAPPEN
from sav_interventions.model import Estimate, Intervention, Invoice, Payment
from sav_interventions.settings import billing

OneLine = TypeVar("OneLine", LineGiven, InvoiceLine)


class Price(NamedTuple):
    """The lines of a draft, what is taken off them, what their VAT depends on, and the estimate that they keep to."""

    lines: Sequence[LineGiven | InvoiceLine]
    discount: Discount | None
    supply: Supply
    agreed: Agreed | None


async def price_of(visit: Intervention, supply: Supply, locale: Locale, tx: Tx) -> Price:
    """What a visit with its work and warranty is billed.

    The visit that completes the work is billed what was agreed: lines, prices, discounts. One that leaves it incomplete
    is billed what was done, as far as that is agreed; after a withdrawal it is a part of the agreed price.
    """
    assert visit.work
    assert visit.warranty
    done, law = lines_of(visit.work, visit.warranty, locale), billing().law
    estimate = await agreed_for(visit, tx)
    if estimate is None or estimate.currency != law.currency:
        said = await last_accepted(visit, tx)
        return Price(done, None, as_agreed(said, supply, None) if said else supply, None)
    supply = as_agreed(estimate, supply, await cashed_on(estimate, tx))
    lines, discount = _for_client(estimate, visit.warranty)
    whole = itemised(lines, discount, estimate.supply, law)
    elsewhere = await _billed_elsewhere(estimate, visit.id, tx)
    agreed = Agreed(
        estimate_id=estimate.id,
        estimate=estimate.view().called,
        net=max(whole.net - elsewhere.net, NOTHING),
        gross=max(whole.net + whole.tax - elsewhere.gross, NOTHING),
        beyond=[LineRecorded.model_validate(line.model_dump()) for line in beyond(done, lines)],
    )
    if estimate.status == "withdrawn":
        part = part_done(done, lines, law.currency)
        return Price(part, in_proportion(discount, part, lines, law.currency), supply, agreed)
    if visit.status == "incomplete":
        return Price(done, None, supply, agreed)
    return Price(lines, discount, supply, agreed)


async def whole_for_client(
    estimate: Estimate, tx: Tx, supply: Supply | None = None
) -> tuple[Itemised, "Billed"]:
    """What a client pays of an accepted estimate, less the share of a warranty; and what is left of that to be invoiced.

    Invoices of visits that left the work incomplete bill a part of it. `supply`: what its VAT depends on by now.
    """
    happened = work_of(estimate).where(Intervention.status.not_in(DID_NOT_HAPPEN))
    visits = await tx.session.scalars(happened)
    last = max(visits, key=lambda one: (one.created_at, one.id), default=None)
    lines, discount = _for_client(estimate, last.warranty if last else None)
    whole = itemised(lines, discount, supply or estimate.supply, billing().law)
    final = last.id if last and last.status != "incomplete" else None
    elsewhere = await _billed_elsewhere(estimate, final, tx)
    return whole, Billed(whole.net - elsewhere.net, whole.net + whole.tax - elsewhere.gross)


def _for_client(
    estimate: Estimate, warranty: Warranty | None
) -> tuple[Sequence[InvoiceLine], Discount | None]:
    """The agreed lines and discount, with the share that a warranty pays."""
    lines = with_warranty(estimate.lines, warranty) if warranty else estimate.lines
    return lines, fitting(estimate.discount, lines, billing().law.currency)


def with_warranty(lines: Sequence[OneLine], warranty: Warranty) -> list[OneLine]:
    """The lines of an estimate; a warranty that is decided pays its share of them too."""
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


def in_proportion(
    discount: Discount | None, part: Sequence[InvoiceLine], lines: Sequence[InvoiceLine], currency: Currency
) -> Discount | None:
    """The agreed discount of the whole as it is taken off a part of the lines."""
    if discount is None or discount.amount is None:
        return discount
    of, whole = (sum((amount(line, currency) for line in some), NOTHING) for some in (part, lines))
    return (
        discount.model_copy(update={"amount": rounded(discount.amount * of / whole, currency)})
        if of
        else None
    )


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


async def _billed_elsewhere(estimate: Estimate, visit_id: UUID | None, tx: Tx) -> Billed:
    """What the invoices of other visits bill of the agreed work, excluding and including VAT."""
    other = Intervention.id.is_distinct_from(visit_id)
    visits = work_of(estimate).where(other).with_only_columns(Intervention.id)
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


def _is_for_the_whole(line: LineRecorded) -> bool:
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


def part_done(
    done: Sequence[LineGiven], agreed: Sequence[InvoiceLine], currency: Currency
) -> list[InvoiceLine]:
    """What was done of the agreed lines, at their prices and no more of each than was agreed (L221-25).

    A line with one price for all is owed as far as what else was done is worth at the visit's prices.
    """
    left = [_much(one) for one in done]
    parts = [_part(line, done, left, currency) for line in sorted(agreed, key=_is_by_worth)]
    return [part for part in parts if part]


def _part(
    line: InvoiceLine, done: Sequence[LineGiven], left: list[Decimal], currency: Currency
) -> InvoiceLine | None:
    """The part of an agreed line that was done, which is taken off what is `left`."""
    its = [place for place, one in enumerate(done) if _is_of(one, line)]
    if _is_by_worth(line):
        return _part_by_worth(line, done, left, its, currency)
    much, taken = _much(line), NOTHING
    for place in its:
        more = min(left[place], much - taken)
        left[place], taken = left[place] - more, taken + more
    if taken == much or not taken:
        return line if taken else None
    if line.kind != "labour":
        return line.model_copy(update={"quantity": taken})
    if not (minutes := int(taken)):
        return None
    hours = rounded(Decimal(minutes) / 60, "EUR")
    return line.model_copy(update={"minutes": minutes, "quantity": hours})


def _part_by_worth(
    line: InvoiceLine, done: Sequence[LineGiven], left: list[Decimal], its: Sequence[int], currency: Currency
) -> InvoiceLine | None:
    worth = sum((_worth(done[place], left[place]) for place in its), NOTHING)
    whole = line.quantity * line.unit_price
    owed = min(worth, whole)
    if not owed:
        return None
    for place in its:
        left[place] *= 1 - owed / worth
    if owed == whole:
        return line
    flat = {"quantity": Decimal(1), "unit": "flat", "unit_price": rounded(owed, currency)}
    return line.model_copy(update=flat)


def _is_by_worth(line: LineRecorded) -> bool:
    return line.kind == "other" or _is_for_the_whole(line)


def _is_of(done: LineGiven, line: InvoiceLine) -> bool:
    """Whether what was done may be a part of an agreed line."""
    if done.kind == "part":
        return _is_same(done, line)
    return _is_by_worth(line) or done.kind == line.kind


def _much(line: LineRecorded) -> Decimal:
    """Minutes of labour by the hour, else the quantity."""
    if _is_by_the_hour(line):
        return Decimal(line.minutes) if line.minutes else line.quantity * 60
    return line.quantity


def _worth(line: LineGiven, much: Decimal) -> Decimal:
    return much * line.unit_price / (60 if _is_by_the_hour(line) else 1)


def _is_by_the_hour(line: LineRecorded) -> bool:
    return line.kind == "labour" and line.unit == "hour"
