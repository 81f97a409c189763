"""The arithmetic of invoices: lines, taxes, totals."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, get_args

import pytest
from given_billing import CERTIFIED, FR, NOT_COVERED, SUPPLY, THE_DAY, TN, line
from given_interventions import work
from hypothesis import given
from hypothesis import strategies as st

from sav_chassis.errors import Invalid
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.line import InvoiceLine, LineGiven, VatTotal
from sav_contracts.interventions.work import Labour, PartPriced
from sav_contracts.money import VatClass, rounded
from sav_interventions.billing import check_amount, check_words, itemised, lines_of
from sav_interventions.model import Invoice

# Where the law allows every class.
ENERGY = CERTIFIED.model_copy(update={"works": "install", "energy_saving": True})
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


def billed(lines: list[LineGiven]) -> Invoice:
    made = Invoice(supplied_on=THE_DAY, paid=Decimal(0))
    made.itemise(lines, FR, ENERGY)
    return made


def priced(lines: list[LineGiven]) -> list[InvoiceLine]:
    return itemised(lines, None, CERTIFIED, FR).lines


@given(given_lines)
def test_totals_follow_from_the_lines_and_each_tax_is_rounded_once(lines: list[LineGiven]) -> None:
    made = billed(lines)
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
    made = billed(lines)
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
    made = billed([line(unit_price=Decimal("0.02"))] * 3)
    assert (made.net, made.tax) == (Decimal("0.06"), Decimal("0.01"))


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.005", "0.01"), ("0.015", "0.02"), ("0.0249", "0.02"), ("-0.005", "-0.01")]
)
def test_halves_are_rounded_away_from_zero(amount: str, cents: str) -> None:
    assert rounded(Decimal(amount), "EUR") == Decimal(cents)


@pytest.mark.parametrize(
    ("minutes", "hours"),
    [(1, "0.02"), (15, "0.25"), (20, "0.33"), (50, "0.83"), (90, "1.50"), (1440, "24.00")],
)
def test_minutes_are_billed_as_hours(minutes: int, hours: str) -> None:
    done = work().model_copy(update={"labour": [Labour(description="réglage", minutes=minutes)]})
    [labour, *_] = priced(lines_of(done, NOT_COVERED, "fr"))
    assert (labour.kind, labour.unit, labour.quantity) == ("labour", "hour", Decimal(hours))


def test_amounts_are_kept_as_they_are_printed_however_they_were_written() -> None:
    [one] = priced([line(quantity=Decimal("1E+2"), unit_price=Decimal("5E-1"))])
    assert (str(one.quantity), str(one.unit_price), str(one.amount)) == ("100.00", "0.50", "50.00")


@pytest.mark.parametrize(
    "lines",
    [
        [line(quantity=Decimal("9999999.99"), unit_price=Decimal("9999999999.99"))],
        [line(quantity=Decimal(1000), unit_price=Decimal(100_000)), line()],
    ],
    ids=["one line", "together"],
)
def test_more_than_an_invoice_can_hold_is_refused(lines: list[LineGiven]) -> None:
    with pytest.raises(Invalid, match="lines"):
        check_amount(lines, "lines")


def test_more_words_than_a_record_can_hold_are_refused() -> None:
    check_words([line(description="e" * 200)] * 60)
    with pytest.raises(Invalid, match="too many words"):
        check_words([line(description="é" * 200)] * 60)


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
    supply = CERTIFIED if older else SUPPLY
    lines = itemised(lines_of(work(), NOT_COVERED, locale), None, supply, law).lines
    assert [(line.kind, line.description, line.unit) for line in lines] == [
        ("labour", "remplacement", "hour"),
        ("part", "Vanne gaz (VAN-22)", "piece"),
        ("travel", travel, "km"),
    ]
    assert [line.amount for line in lines] == [Decimal("93.00"), Decimal("84.90"), Decimal("11.25")]
    assert {line.vat_class for line in lines} == {vat_class}


def test_a_part_that_is_taxed_less_has_the_rate_of_the_repair_unless_it_is_energy_work() -> None:
    [part] = work().parts
    done = work().model_copy(update={"parts": [part.model_copy(update={"vat_class": "reduced"})]})
    lines = lines_of(done, NOT_COVERED, "fr")
    assert {line.vat_class for line in priced(lines)} == {"intermediate"}
    assert {line.vat_class for line in itemised(lines, None, ENERGY, FR).lines} == {"reduced"}


def test_a_long_name_is_shortened_and_its_reference_kept() -> None:
    [part] = work().parts
    long = PartPriced.model_validate(part.model_dump() | {"name": "n" * 200})
    done = work().model_copy(update={"parts": [long]})
    description = lines_of(done, NOT_COVERED, "fr")[1].description
    assert (len(description), description.endswith("n (VAN-22)")) == (200, True)


def test_where_nobody_travelled_there_is_no_such_line() -> None:
    done = work().model_copy(update={"travel_km": Decimal("0.0"), "parts": []})
    assert [line.kind for line in lines_of(done, NOT_COVERED, "fr")] == ["labour"]


def test_tax_is_that_of_the_day_of_supply() -> None:
    def vat_on(day: date) -> list[VatTotal]:
        supply = CERTIFIED.model_copy(update={"on": day})
        return itemised([line("intermediate")], None, supply, FR).vat

    [before], [after] = vat_on(date(2013, 12, 31)), vat_on(date(2014, 1, 1))
    assert (before.rate, before.vat) == (Decimal("7"), Decimal("5.94"))
    assert (after.rate, after.vat) == (Decimal("10"), Decimal("8.49"))
    assert after.mention
    assert "279-0 bis" in after.mention
    [foreign] = itemised([line("reduced")], None, SUPPLY, TN).vat
    assert (foreign.rate, foreign.mention) == (Decimal("7"), None)
