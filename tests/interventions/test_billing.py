"""The arithmetic of invoices, and which visits make one."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, get_args

import pytest
import world
from given_billing import (
    FR,
    INVOICE,
    NOT_COVERED,
    TN,
    client,
    closed,
    home,
    invoice,
    line,
    told_closed,
    told_decided,
)
from given_interventions import COVERED, PRODUCT, RECLAMATION, UNKNOWN, VISIT, report, visit, work
from hypothesis import given
from hypothesis import strategies as st

from sav_chassis.errors import Invalid
from sav_chassis.testing import Stage, enveloped
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import Warranty
from sav_contracts.interventions.invoice import (
    ChangeInvoice,
    InvoiceChanged,
    InvoiceDiscarded,
    InvoiceDrafted,
    InvoiceStatus,
    InvoiceView,
    LineGiven,
)
from sav_contracts.interventions.report import ValidateReport
from sav_contracts.interventions.visit import (
    DecideWarranty,
    InterventionClosed,
    InterventionMove,
    InterventionView,
    Labour,
    MoveIntervention,
    PartPriced,
    WarrantyDecided,
)
from sav_contracts.messages import Event
from sav_contracts.money import VatClass
from sav_interventions.billing import lines_of, priced, rounded, vat_of
from sav_interventions.model import Intervention, Invoice

RELEASE = "UPDATE task SET due = now() WHERE use = 'parked'"
COUNT = "SELECT count(*) FROM invoice"
THE_DAY = date(2026, 3, 3)
CENT = Decimal("0.01")

prices = st.decimals(0, 100_000, places=2)
quantities = st.decimals("0.01", 900, places=2)
shares = st.integers(0, 100)
given_lines = st.lists(
    st.builds(
        LineGiven,
        kind=st.just("other"),
        description=st.just("travail"),
        quantity=quantities,
        unit=st.just("piece"),
        unit_price=prices,
        covered=shares,
        vat_class=st.sampled_from(get_args(VatClass)),
    ),
    min_size=1,
    max_size=20,
).filter(lambda lines: sum(line.quantity * line.unit_price for line in lines) < 100_000_000)


def itemised(lines: list[LineGiven]) -> Invoice:
    made = Invoice(supplied_on=THE_DAY, paid=Decimal(0))
    made.itemise(priced(lines), FR)
    return made


def decide(parts: int, labour: int, travel: int) -> DecideWarranty:
    return DecideWarranty(
        intervention_id=VISIT, parts=parts, labour=labour, travel=travel, reason="geste commercial"
    )


async def released(stage: Stage) -> list[Event]:
    """What comes of the parked events, tried again."""
    before = await stage._position()
    await stage.database.pool.execute(RELEASE)
    await stage.reactor.release_due()
    assert await stage.parked() == []
    return await stage._since(before)


async def heard(stage: Stage, visit: Intervention) -> InvoiceView:
    """The draft that the closing of a visit makes."""
    return (await stage.hears(told_closed(visit))).only(InvoiceDrafted).state


async def given_closed(stage: Stage, *, older: bool = False, **fields: Any) -> Intervention:
    visit = closed(**fields)
    await stage.knows(client(), home(older))
    await stage.given(visit)
    return closed(**fields)


async def outcome_of(stage: Stage, event: InterventionClosed | WarrantyDecided) -> str | None:
    envelope = enveloped(event)
    assert (await stage.hears(envelope)).events == []
    return await stage.outcome_of(envelope)


@given(given_lines)
def test_totals_follow_from_the_lines_and_each_tax_is_rounded_once(lines: list[LineGiven]) -> None:
    made = itemised(lines)
    assert made.net == sum(line.amount for line in made.lines)
    assert made.net == sum(total.base for total in made.vat)
    assert made.tax == sum(total.vat for total in made.vat)
    assert made.total == made.net + made.tax
    assert {total.vat_class for total in made.vat} == {line.vat_class for line in lines}
    for total in made.vat:
        assert total.vat == (total.base * total.rate / 100).quantize(CENT, ROUND_HALF_UP)
    rates = [total.rate for total in made.vat]
    assert rates == sorted(rates, reverse=True)


@given(given_lines)
def test_money_is_decimal_with_two_places_and_never_negative(lines: list[LineGiven]) -> None:
    made = itemised(lines)
    amounts = [amount for line in made.lines for amount in (line.quantity, line.unit_price, line.amount)]
    totals = [amount for total in made.vat for amount in (total.base, total.vat)]
    for amount in (*amounts, *totals, made.net, made.tax, made.total):
        assert type(amount) is Decimal
        assert amount >= 0
        assert amount.as_tuple().exponent == -2


@given(quantities, prices, shares)
def test_a_line_amounts_to_what_no_warranty_pays(quantity: Decimal, price: Decimal, covered: int) -> None:
    whole, [part] = quantity * price, priced([line(quantity=quantity, unit_price=price, covered=covered)])
    # In whole hundredths of a thousandth, so that nothing but the last step rounds.
    exact = int(whole * 10_000) * (100 - covered)
    assert int(part.amount * 100) == (exact + 5_000) // 10_000
    if covered == 100:
        assert part.amount == 0


def test_one_tax_on_the_whole_base_is_not_the_sum_of_taxes_on_its_lines() -> None:
    made = itemised([line(unit_price=Decimal("0.02"))] * 3)
    assert (made.net, made.tax) == (Decimal("0.06"), Decimal("0.01"))


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.005", "0.01"), ("0.015", "0.02"), ("0.0249", "0.02"), ("-0.005", "-0.01")]
)
def test_halves_are_rounded_away_from_zero(amount: str, cents: str) -> None:
    assert rounded(Decimal(amount)) == Decimal(cents)


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [(1, "0.02"), (15, "0.25"), (20, "0.33"), (50, "0.83"), (90, "1.50"), (1440, "24.00")],
)
def test_minutes_are_billed_as_hours(minutes: int, hours: str) -> None:
    done = work().model_copy(update={"labour": [Labour(description="réglage", minutes=minutes)]})
    [labour, *_] = lines_of(done, NOT_COVERED, False, FR, "fr")
    assert (labour.kind, labour.unit, labour.quantity) == ("labour", "hour", Decimal(hours))


def test_amounts_are_kept_as_they_are_printed_however_they_were_written() -> None:
    [one] = priced([line(quantity=Decimal("1E+2"), unit_price=Decimal("5E-1"))])
    assert (str(one.quantity), str(one.unit_price), str(one.amount)) == ("100.00", "0.50", "50.00")


@pytest.mark.parametrize(
    "lines",
    [
        [line(quantity=Decimal("9999999.99"), unit_price=Decimal("9999999999.99"))],
        [line(quantity=Decimal(1000), unit_price=Decimal(100_000)), line()],
        [line(description="é" * 200)] * 60,
    ],
    ids=["one line", "together", "words"],
)
def test_more_than_an_invoice_can_hold_is_refused(lines: list[LineGiven]) -> None:
    with pytest.raises(Invalid, match="lines"):
        priced(lines)


@pytest.mark.parametrize(
    ("locale", "law", "older", "vat_class", "travel"),
    [
        ("fr", FR, True, "intermediate", "Déplacement"),
        ("fr", FR, False, "standard", "Déplacement"),
        ("en", TN, True, "standard", "Travel"),
    ],
)
def test_work_becomes_labour_parts_and_travel(
    locale: Locale, law: Any, older: bool, vat_class: VatClass, travel: str
) -> None:
    lines = lines_of(work(), NOT_COVERED, older, law, locale)
    assert [(line.kind, line.description, line.unit) for line in lines] == [
        ("labour", "remplacement", "hour"),
        ("part", "Vanne gaz (VAN-22)", "piece"),
        ("travel", travel, "km"),
    ]
    assert [line.amount for line in lines] == [Decimal("93.00"), Decimal("84.90"), Decimal("11.25")]
    assert {line.vat_class for line in lines} == {vat_class}


def test_a_part_that_is_taxed_less_anyway_stays_so_in_an_older_dwelling() -> None:
    [part] = work().parts
    done = work().model_copy(update={"parts": [part.model_copy(update={"vat_class": "reduced"})]})
    assert [line.vat_class for line in lines_of(done, NOT_COVERED, True, FR, "fr")] == [
        "intermediate",
        "reduced",
        "intermediate",
    ]


def test_a_long_name_is_shortened_and_its_reference_kept() -> None:
    [part] = work().parts
    long = PartPriced.model_validate(part.model_dump() | {"name": "n" * 200})
    done = work().model_copy(update={"parts": [long]})
    description = lines_of(done, NOT_COVERED, False, FR, "fr")[1].description
    assert (len(description), description.endswith("n (VAN-22)")) == (200, True)


def test_where_nobody_travelled_there_is_no_such_line() -> None:
    done = work().model_copy(update={"travel_km": Decimal("0.0"), "parts": []})
    assert [line.kind for line in lines_of(done, NOT_COVERED, False, FR, "fr")] == ["labour"]


def test_tax_is_that_of_the_day_of_supply() -> None:
    [before] = vat_of(priced([line("intermediate")]), date(2013, 12, 31), FR)
    [after] = vat_of(priced([line("intermediate")]), date(2014, 1, 1), FR)
    assert (before.rate, before.vat) == (Decimal("7"), Decimal("5.94"))
    assert (after.rate, after.vat) == (Decimal("10"), Decimal("8.49"))
    assert after.mention
    assert "279-0 bis" in after.mention
    [foreign] = vat_of(priced([line("reduced")]), THE_DAY, TN)
    assert (foreign.rate, foreign.mention) == (Decimal("7"), None)


async def test_a_closed_visit_outside_warranty_makes_a_draft(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage, older=True))
    assert (draft.status, draft.number, draft.hash, draft.issued_on) == ("draft", None, None, None)
    assert (draft.client_id, draft.intervention_id, draft.reclamation_id) == (
        world.lea.id,
        VISIT,
        RECLAMATION,
    )
    assert draft.reclamation_reference == "REC-2026-000100"
    assert (draft.net, draft.tax, draft.total) == (Decimal("189.15"), Decimal("18.92"), Decimal("208.07"))
    assert (draft.paid, draft.balance) == (Decimal(0), Decimal("208.07"))
    assert [(total.vat_class, total.rate) for total in draft.vat] == [("intermediate", Decimal(10))]
    assert (draft.buyer.name, draft.buyer.address) == ("Léa Martin", "1 rue de l'Exemple, 75001 Paris")
    assert draft.seller == stage.settings.seller
    assert draft.for_client() is None


async def test_what_is_in_a_newer_dwelling_is_taxed_in_full(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage))
    assert [(total.vat_class, total.vat) for total in draft.vat] == [("standard", Decimal("37.83"))]


async def test_it_is_supplied_on_the_day_when_the_work_ended_where_the_seller_is(stage: Stage) -> None:
    # Half past ten in the evening, UTC: half past eleven in Paris, on the same day; and a week before its report.
    assert (await heard(stage, await given_closed(stage))).supplied_on == THE_DAY
    await stage.clear()
    late = closed().done_at
    assert late
    visit = await given_closed(stage, done_at=late.replace(hour=23, minute=30))
    assert (await heard(stage, visit)).supplied_on == date(2026, 3, 4)


@pytest.mark.parametrize("to", ["completed", "incomplete", "paused"])
async def test_a_visit_says_when_its_work_ended(stage: Stage, to: InterventionMove) -> None:
    await stage.given(visit("in_progress", work=work()))
    before = stage.now()
    move = MoveIntervention(intervention_id=VISIT, to=to, cause="parts")
    moved = (await stage.when(move, by=world.karim)).events[0].state
    assert isinstance(moved, InterventionView)
    assert moved.closed_at is None
    if to == "paused":
        assert moved.done_at is None
    else:
        assert moved.done_at
        assert before <= moved.done_at <= stage.now()


async def test_an_older_visit_that_does_not_say_when_it_ended_counts_from_its_closing(stage: Stage) -> None:
    assert (await heard(stage, await given_closed(stage, done_at=None))).supplied_on == date(2026, 3, 10)


async def test_what_a_warranty_pays_in_part_is_billed_for_the_rest(stage: Stage) -> None:
    warranty = Warranty.of_shares(100, 50, 0, why="cover_applies")
    draft = await heard(stage, await given_closed(stage, warranty=warranty))
    assert [(line.kind, line.covered, line.amount) for line in draft.lines] == [
        ("labour", 50, Decimal("46.50")),
        ("part", 100, Decimal("0.00")),
        ("travel", 0, Decimal("11.25")),
    ]
    assert draft.net == Decimal("57.75")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"warranty": COVERED}, "a warranty pays everything"),
        ({"warranty": UNKNOWN}, "a manager decides first who pays"),
        ({"warranty": None}, "a manager decides first who pays"),
        ({"work": None}, "nothing was done"),
    ],
    ids=["covered", "unknown", "undecided", "no work"],
)
async def test_a_visit_that_is_not_to_be_billed_makes_no_invoice(
    stage: Stage, fields: dict[str, Any], why: str
) -> None:
    visit = await given_closed(stage, **fields)
    assert await outcome_of(stage, told_closed(visit)) == why
    assert await stage.database.pool.fetchval(COUNT) == 0


async def test_a_visit_without_a_product_is_billed_to_a_buyer_whose_address_is_asked_for(
    stage: Stage,
) -> None:
    await stage.knows(client())
    await stage.given(closed(product_id=None))
    draft = await heard(stage, closed(product_id=None))
    assert (draft.buyer.name, draft.buyer.address) == ("Léa Martin", None)


async def test_what_waited_for_a_manager_is_billed_when_they_decide(stage: Stage) -> None:
    visit = await given_closed(stage, warranty=UNKNOWN)
    assert await outcome_of(stage, told_closed(visit)) == "a manager decides first who pays"
    decision = (await stage.when(decide(0, 0, 0), by=world.marie)).only(WarrantyDecided)
    drafted = (await stage.hears(decision)).only(InvoiceDrafted)
    assert drafted.state.net == Decimal("189.15")


async def test_what_waited_for_a_manager_is_not_billed_when_a_warranty_pays(stage: Stage) -> None:
    await given_closed(stage, warranty=UNKNOWN)
    decision = (await stage.when(decide(100, 100, 100), by=world.marie)).only(WarrantyDecided)
    assert await outcome_of(stage, decision) == "a warranty pays everything"


async def test_a_decision_before_the_visit_is_closed_bills_nothing(stage: Stage) -> None:
    visit = await given_closed(stage, closed_at=None)
    assert await outcome_of(stage, told_decided(visit)) == "the visit is not closed"


async def test_a_draft_follows_a_later_decision(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage))
    decision = (await stage.when(decide(100, 0, 0), by=world.marie)).only(WarrantyDecided)
    changed = (await stage.hears(decision)).only(InvoiceChanged).state
    assert (changed.id, changed.status, changed.net) == (draft.id, "draft", Decimal("104.25"))


async def test_a_draft_is_discarded_when_a_warranty_pays_everything_after_all(stage: Stage) -> None:
    draft = await heard(stage, await given_closed(stage))
    decision = (await stage.when(decide(100, 100, 100), by=world.marie)).only(WarrantyDecided)
    discarded = (await stage.hears(decision)).only(InvoiceDiscarded)
    assert (discarded.state.id, discarded.state.status) == (draft.id, "discarded")
    assert discarded.reason == discarded.state.reason == "a warranty pays everything"

    again = (await stage.when(decide(0, 0, 0), by=world.marie)).only(WarrantyDecided)
    assert (await stage.hears(again)).only(InvoiceDrafted).state.id != draft.id


async def test_what_a_manager_wrote_into_a_draft_stays_when_the_warranty_is_decided_otherwise(
    stage: Stage,
) -> None:
    draft = await heard(stage, await given_closed(stage))
    flat = LineGiven(
        kind="other",
        description="Forfait convenu",
        quantity=Decimal(1),
        unit="piece",
        unit_price=Decimal(80),
        vat_class="standard",
    )
    (await stage.when(ChangeInvoice(invoice_id=draft.id, lines=[flat]), by=world.marie)).only(InvoiceChanged)
    decision = (await stage.when(decide(100, 0, 0), by=world.marie)).only(WarrantyDecided)
    assert await outcome_of(stage, decision) == "a manager wrote the lines"


@pytest.mark.parametrize("status", ["issued", "partly_paid", "paid"])
async def test_an_issued_invoice_does_not_follow_a_later_decision(
    stage: Stage, status: InvoiceStatus
) -> None:
    await given_closed(stage)
    await stage.given(invoice(status, intervention_id=VISIT))
    refused = await stage.when(decide(100, 100, 100), by=world.marie)
    assert refused.problem
    assert (refused.problem.status, refused.problem.code, refused.events) == (409, "already_invoiced", [])


async def test_a_credited_invoice_makes_room_for_another(stage: Stage) -> None:
    visit = await given_closed(stage)
    await stage.given(invoice("credited", intervention_id=VISIT))
    assert (await heard(stage, visit)).id != INVOICE


async def test_a_closing_that_is_told_again_makes_one_invoice(stage: Stage) -> None:
    visit = await given_closed(stage)
    told = enveloped(told_closed(visit))
    (await stage.hears(told)).only(InvoiceDrafted)
    assert (await stage.hears(told)).events == []
    assert await outcome_of(stage, told_closed(visit)) == "drafted already"
    assert await outcome_of(stage, told_decided(visit)) == "drafted already"
    assert await stage.database.pool.fetchval(COUNT) == 1


@pytest.mark.parametrize("late", ["product", "client"])
async def test_an_invoice_waits_for_what_it_is_made_of(stage: Stage, late: str) -> None:
    await stage.given(closed())
    await stage.knows(client() if late == "product" else home(True))
    told = enveloped(told_closed(closed()))
    assert (await stage.hears(told)).events == []
    [(parked, why)] = await stage.parked()
    assert (parked, str(PRODUCT if late == "product" else world.lea.id) in why) == (told.id, True)

    await stage.knows(home(True) if late == "product" else client())
    [drafted] = await released(stage)
    assert isinstance(drafted, InvoiceDrafted)
    assert (drafted.state.net, drafted.state.vat[0].vat_class) == (Decimal("189.15"), "intermediate")


async def test_closing_a_visit_waits_for_nothing_that_billing_needs(stage: Stage) -> None:
    await stage.given(closed(closed_at=None), report("submitted"))
    outcome = await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)
    assert isinstance(outcome.events[-1], InterventionClosed)
    assert (await stage.hears(outcome.events[-1])).events == []
    assert len(await stage.parked()) == 1
