"""The law's worked examples: what VAT follows from what is sold, to whom, where and when, to the cent."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import world
from given_billing import FR, TN, invoice, line
from hypothesis import example, given
from hypothesis import strategies as st

from sav_chassis.law.jurisdiction import Jurisdiction
from sav_contracts.interventions.line import Discount, InvoiceLine, LineGiven, Supply
from sav_contracts.money import VatClass, as_money, places
from sav_interventions.billing import DiscountTooLarge, Itemised, itemised, shared
from sav_interventions.model.invoice import NothingToPay

TODAY = date(2026, 11, 30)
# Repair in Lyon, in a dwelling completed more than two years ago, as its client certified.
REPAIR = Supply(on=TODAY, postcode="69003", works="repair", older_dwelling=True, certified=True)
# The fitting of a gas boiler there.
BOILER = REPAIR.model_copy(update={"works": "install", "fossil_heating": True})
TUNIS = Supply(on=TODAY, country="TN", postcode="1000")
# 93.00 + 48.90 + 35.00 at 10 %, 129.90 at 20 %.
FIRST = [
    LineGiven(kind="labour", description="pose", minutes=90, unit="hour", unit_price=Decimal("62.00")),
    LineGiven(
        kind="part", description="vanne", quantity=Decimal(1), unit="piece", unit_price=Decimal("48.90")
    ),
    LineGiven(kind="fixed", description="forfait déplacement", unit="flat", unit_price=Decimal("35.00")),
    line("standard", unit_price=Decimal("129.90")),
]


def priced(*prices: str, **fields: Any) -> list[LineGiven]:
    return [line(None, unit_price=Decimal(price), **fields) for price in prices]


def bill(
    lines: list[LineGiven], supply: Supply = REPAIR, discount: Discount | None = None, law: Jurisdiction = FR
) -> Itemised:
    return itemised(lines, discount, supply, law)


def figures(made: Itemised) -> tuple[list[str], list[str], str]:
    return [str(one.base) for one in made.vat], [str(one.vat) for one in made.vat], str(made.total)


def test_minutes_are_billed_exactly_and_hours_only_shown() -> None:
    ten = LineGiven(
        kind="labour", description="réglage", minutes=10, unit="hour", unit_price=Decimal("62.00")
    )
    [shown] = bill([ten]).lines
    assert (str(shown.amount), str(shown.quantity)) == ("10.33", "0.17")


def test_a_percentage_off_the_whole_is_taken_off_at_each_rate() -> None:
    made = bill(FIRST, discount=Discount(label="Remise", percent=Decimal(5)))
    assert figures(made) == (["123.40", "168.05"], ["24.68", "16.81"], "332.94")
    assert [str(one.allowance) for one in made.vat] == ["6.50", "8.85"]
    assert (str(made.net), str(made.tax)) == ("291.45", "41.49")


def test_an_amount_off_the_whole_is_shared_over_the_rates() -> None:
    made = bill(FIRST, discount=Discount(label="Geste", amount=Decimal(50)))
    assert [str(one.allowance) for one in made.vat] == ["21.17", "28.83"]
    assert figures(made)[1:] == (["21.75", "14.81"], "293.36")


def test_three_times_thirty_five_cents_are_taxed_once() -> None:
    assert [str(one.vat) for one in bill(priced("0.35", "0.35", "0.35")).vat] == ["0.11"]


def test_a_gas_boiler_in_an_older_dwelling_is_taxed_in_full_on_all_lines() -> None:
    made = bill(priced("2000.00", "62.00"), BOILER)
    assert figures(made) == (["2062.00"], ["412.40"], "2474.40")
    assert [one.mention for one in made.vat] == [None]
    # Nobody may say otherwise on a line.
    assert bill([line("intermediate", unit_price=Decimal(2000))], BOILER).vat[0].rate == 20


def test_its_repair_is_taxed_less() -> None:
    [total] = bill(priced("100.00")).vat
    assert (total.rate, "279-0 bis" in (total.mention or "")) == (Decimal(10), True)


@pytest.mark.parametrize(
    ("supply", "postcode", "vat"),
    [
        (BOILER, "97400", "175.27"),
        (BOILER, "97110", "175.27"),
        (BOILER, "97200", "175.27"),
        (REPAIR, "97400", "43.30"),
        (BOILER, "97300", "0.00"),
        (BOILER, "97600", "0.00"),
        (BOILER, "97150", "0.00"),
        (BOILER, "98800", "0.00"),
        (REPAIR, "20000", "206.20"),
        (REPAIR.model_copy(update={"certified": False, "older_dwelling": False}), "20600", "206.20"),
        (REPAIR.model_copy(update={"works": "sale"}), "20600", "412.40"),
    ],
)
def test_the_place_decides(supply: Supply, postcode: str, vat: str) -> None:
    made = bill(priced("2000.00", "62.00"), supply.model_copy(update={"postcode": postcode}))
    assert str(made.tax) == vat
    assert bool(made.vat[0].mention) == (vat not in {"175.27", "412.40"})


@pytest.mark.parametrize("country", ["RE", "MQ", "GP"])
def test_a_territory_may_be_written_as_a_country(country: str) -> None:
    there = BOILER.model_copy(update={"country": country, "postcode": "97400"})
    assert str(bill(priced("2000.00", "62.00"), there).tax) == "175.27"


@pytest.mark.parametrize(
    ("change", "rate"),
    [
        ({}, "10"),
        # What a lower rate depends on.
        ({"certified": False}, "20"),
        ({"older_dwelling": False}, "20"),
        ({"works": "maintenance"}, "10"),
        ({"works": "improvement"}, "10"),
        ({"works": "install"}, "10"),
        ({"works": "sale"}, "20"),
        ({"works": "diagnosis"}, "20"),
        ({"works": "install", "energy_saving": True}, "5.5"),
        ({"works": "repair", "energy_saving": True}, "10"),
        ({"works": "install", "energy_saving": True, "certified": False}, "20"),
        ({"works": "install", "energy_saving": True, "fossil_heating": True}, "20"),
        # What may be a boiler that burns fossil fuel is taxed as one.
        ({"works": "install", "fossil_heating": None}, "20"),
        ({"fossil_heating": True, "on": date(2025, 2, 28)}, "10"),
        ({"fossil_heating": True, "on": date(2025, 3, 1)}, "20"),
        # Accepted by both and a deposit paid before that day.
        ({"fossil_heating": True, "agreed_on": date(2025, 2, 28)}, "10"),
        ({"subcontracted": True, "buyer": "business"}, "0"),
        # Only a firm that was engaged itself owes the VAT of the building work, and of nothing else.
        ({"subcontracted": True}, "10"),
        ({"subcontracted": True, "buyer": "business", "works": "sale"}, "20"),
        ({"buyer": "business"}, "10"),
    ],
    ids=str,
)
def test_what_is_done_where_and_for_whom_decides(change: dict[str, Any], rate: str) -> None:
    made = bill(priced("100.00"), REPAIR.model_copy(update=change))
    assert [one.rate for one in made.vat] == [Decimal(rate)]


def test_the_mention_says_what_the_client_certifies() -> None:
    saving = REPAIR.model_copy(update={"works": "install", "energy_saving": True})
    [ten], [five] = bill(priced("100.00")).vat, bill(priced("100.00"), saving).vat
    assert "Le client certifie" in (ten.mention or "")
    assert "rénovation énergétique" not in (ten.mention or "")
    assert "rénovation énergétique" in (five.mention or "")
    subcontracted = bill(
        priced("100.00"), REPAIR.model_copy(update={"subcontracted": True, "buyer": "business"})
    )
    assert "Autoliquidation" in (subcontracted.vat[0].mention or "")


def test_travel_follows_works_and_is_taxed_in_full_alone() -> None:
    [travel] = [line(None, kind="travel", unit="km", unit_price=Decimal(10))]
    assert [one.rate for one in bill([travel]).vat] == [20]
    assert [one.rate for one in bill([travel, *priced("50.00")]).vat] == [10]


@pytest.mark.parametrize("wanted", ["intermediate", "reduced"])
def test_a_lower_class_is_refused_where_the_law_does_not_allow_it(wanted: VatClass) -> None:
    new = REPAIR.model_copy(update={"older_dwelling": False})
    assert [one.rate for one in bill([line(wanted)], new).vat] == [20]


def test_what_was_wanted_stays_known_until_it_is_allowed() -> None:
    known = REPAIR.model_copy(update={"works": "install", "energy_saving": True})
    waits = known.model_copy(update={"certified": False})
    before = bill([line("reduced"), line("standard"), *priced("1.00")], waits).lines
    assert [one.vat_class for one in before] == ["standard"] * 3
    after = itemised(before, None, known, FR).lines
    assert [one.vat_class for one in after] == ["reduced", "standard", "reduced"]


@pytest.mark.parametrize("works", ["repair", "maintenance", "install", "improvement"])
def test_only_energy_work_has_the_lowest_rate_whatever_a_line_asks_for(works: Any) -> None:
    plain = REPAIR.model_copy(update={"works": works})
    assert [one.rate for one in bill([line("reduced")], plain).vat] == [10]
    saving = plain.model_copy(update={"energy_saving": True})
    rate = "5.5" if works in {"install", "improvement"} else "10"
    assert [one.rate for one in bill([line("reduced")], saving).vat] == [Decimal(rate)]


def test_a_rate_of_two_classes_is_rounded_once() -> None:
    there = REPAIR.model_copy(update={"postcode": "97400", "works": "install", "energy_saving": True})
    [total] = bill(
        [line("intermediate", unit_price=Decimal("0.35")), line("reduced", unit_price=Decimal("0.35"))], there
    ).vat
    assert (total.rate, str(total.base), str(total.vat)) == (Decimal("2.1"), "0.70", "0.01")
    # What the client certified for each of them stands beside it.
    assert "278-0 bis A" in (total.mention or "")
    assert "279-0 bis)" in (total.mention or "")


def test_energy_work_overseas_says_what_was_certified_for_it() -> None:
    there = REPAIR.model_copy(update={"postcode": "97400", "works": "install", "energy_saving": True})
    [total] = bill(priced("100.00"), there).vat
    assert total.rate == Decimal("2.1")
    assert "rénovation énergétique" in (total.mention or "")
    assert "279-0 bis)" not in (total.mention or "")


@pytest.mark.parametrize(
    ("prices", "tax", "net", "total"),
    [
        (["12.340"], "2.345", "12.34", "15.685"),
        (["12.340", "3.335"], "2.978", "15.675", "19.653"),
    ],
)
def test_the_dinar_has_three_decimals_and_each_invoice_a_stamp(
    prices: list[str], tax: str, net: str, total: str
) -> None:
    made = bill(priced(*prices), TUNIS, law=TN)
    assert [str(one) for one in (made.tax, made.net, made.stamp, made.total)] == [tax, net, "1.00", total]
    assert made.total - (made.stamp or 0) == made.net + made.tax


def test_tunisia_taxes_each_article_by_its_own_class() -> None:
    classes: list[VatClass] = ["standard", "intermediate", "reduced"]
    made = bill([line(one, unit_price=Decimal(100)) for one in classes], TUNIS, law=TN)
    assert [(one.rate, one.vat) for one in made.vat] == [(Decimal(n), Decimal(n)) for n in (19, 13, 7)]


def test_the_share_that_a_warranty_pays_stands_on_the_line() -> None:
    [one] = bill([line(None, unit_price=Decimal("84.90"), covered=50, discount=Decimal(10))]).lines
    # 76.41 after the discount: the halves are 38.205, rounded once; what is left is the warranty's.
    assert (str(one.amount), str(one.covered_amount)) == ("38.21", "38.20")


def test_no_more_is_taken_off_than_there_is() -> None:
    with pytest.raises(DiscountTooLarge):
        bill(priced("10.00"), discount=Discount(label="Geste", amount=Decimal("10.01")))
    assert bill(priced("10.00"), discount=Discount(label="Geste", amount=Decimal(10))).total == 0


@example([Decimal("0.01"), Decimal("0.01"), Decimal("0.01")], Decimal("0.02"), "EUR")
@given(
    st.lists(st.decimals(0, 10_000, places=2), min_size=1, max_size=3),
    st.decimals("0.01", 30_000, places=2),
    st.sampled_from(["EUR", "TND"]),
)
def test_the_shares_of_an_amount_are_the_amount(over: list[Decimal], taken: Decimal, currency: Any) -> None:
    whole = sum(over, Decimal(0))
    taken = min(taken, whole)
    shares = [one or Decimal(0) for one in shared(Discount(label="x", amount=taken), over, currency)]
    assert sum(shares) == taken
    step = Decimal(1).scaleb(-places(currency))
    for share, one in zip(shares, over, strict=True):
        assert 0 <= share <= one
        assert share == share.quantize(step)
        if whole:
            assert abs(share - taken * one / whole) < step


@given(
    st.integers(1, 100_000),
    st.decimals(0, 1000, places=3),
    st.integers(0, 100),
    st.sampled_from(["EUR", "TND"]),
)
@example(10, Decimal("62.000"), 0, "EUR")
def test_an_amount_is_the_exact_one_rounded_once(
    minutes: int, rate: Decimal, covered: int, currency: Any
) -> None:
    law, supply = (FR, REPAIR) if currency == "EUR" else (TN, TUNIS)
    given = LineGiven(
        kind="labour", description="x", minutes=minutes, unit="hour", unit_price=rate, covered=covered
    )
    [one] = itemised([given], None, supply, law).lines
    # In whole numbers: thousandths of the rate, times minutes and shares.
    scale = 10 ** places(currency)
    numerator, denominator = minutes * int(rate * 1000) * (100 - covered) * scale, 1000 * 60 * 100
    assert int(one.amount * scale) == (2 * numerator + denominator) // (2 * denominator)


def test_lines_that_are_itemised_again_are_the_same() -> None:
    once = bill(FIRST, discount=Discount(label="Remise", percent=Decimal(5)))
    again = itemised([InvoiceLine.model_validate_json(one.model_dump_json()) for one in once.lines],
                     Discount(label="Remise", percent=Decimal(5)), REPAIR, FR)  # fmt: skip
    assert again == once


@pytest.mark.parametrize(
    ("written", "kept"), [("5", "5.00"), ("5.125", "5.125"), ("5.120", "5.12"), ("-0", "0.00")]
)
def test_an_amount_is_kept_in_one_form(written: str, kept: str) -> None:
    assert str(as_money(Decimal(written))) == kept


@example(FIRST, Discount(label="x", percent=Decimal(5)), REPAIR)
@example(FIRST, Discount(label="x", amount=Decimal(50)), REPAIR)
@given(
    st.lists(
        st.builds(
            line,
            st.sampled_from([None, "standard", "intermediate", "reduced"]),
            unit_price=st.decimals(0, 10_000, places=2),
            covered=st.integers(0, 100),
            discount=st.none() | st.decimals("0.01", 100, places=2),
        ),
        min_size=1,
        max_size=12,
    ),
    st.none() | st.builds(Discount, label=st.just("x"), percent=st.decimals("0.01", 100, places=2)),
    st.sampled_from([REPAIR, BOILER, REPAIR.model_copy(update={"postcode": "97400"})]),
)
def test_lines_discounts_and_taxes_make_the_totals(
    lines: list[LineGiven], discount: Discount | None, supply: Supply
) -> None:
    made = bill(lines, supply, discount)
    taken = sum((one.allowance or Decimal(0) for one in made.vat), Decimal(0))
    assert made.net == sum(one.base for one in made.vat) == sum(one.amount for one in made.lines) - taken
    assert made.tax == sum(one.vat for one in made.vat)
    assert made.total == made.net + made.tax
    assert len({one.rate for one in made.vat}) == len(made.vat)
    assert {one.vat_class for one in made.vat} == {one.vat_class for one in made.lines}
    for one in made.vat:
        # Halves away from zero, in whole numbers.
        exact = int(one.base * 100) * int(one.rate * 10)
        assert int(one.vat * 100) == (exact + 500) // 1000


def test_a_stamp_alone_is_not_invoiced() -> None:
    made = invoice("draft", currency="TND")
    made.itemise([line(covered=100)], TN, TUNIS)
    assert (made.net, made.total) == (Decimal(0), Decimal(1))
    with pytest.raises(NothingToPay):
        made.check_complete(world.marie)
