"""The covers that follow from the dates and the repairs, as the product's view reads them."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from given_catalog import sold
from given_views import a
from hypothesis import given
from hypothesis import strategies as st

from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.warranty import Cover, CoveredRepair, CoverKind, Warranty, months_after

DAY = timedelta(days=1)
DAYS = st.dates(date(2022, 1, 1), date(2100, 12, 31))
MONTHS = st.integers(0, 600)
PARIS = {"address": "1 rue de la Paix", "postcode": "75002", "city": "Paris"}
REUNION = {"address": "2 rue Pasteur", "postcode": "97400", "city": "Saint-Denis"}


def view(covers: list[Cover], **fields: Any) -> ProductView:
    return a(ProductView, proof_state="accepted", covers=covers, **fields)


def repair(
    asked: date, back: date | None, kind: CoverKind = "legal_conformity", id: UUID | None = None
) -> CoveredRepair:
    return CoveredRepair(reclamation_id=id or uuid4(), asked=asked, back=back, covers=[kind])


def ends(covers: list[Cover], *repairs: CoveredRepair, purchase: date | None = None) -> list[date]:
    return [cover.prolonged(purchase or covers[0].start, repairs).end for cover in covers]


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 24, date(2026, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2026, 10, 31), 4, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 5, 5), 0, date(2026, 5, 5)),
    ],
)
def test_a_month_that_is_too_short_ends_on_its_last_day(start: date, months: int, end: date) -> None:
    assert months_after(start, months) == end


@given(start=DAYS, months=MONTHS)
def test_so_many_months_later_is_that_month(start: date, months: int) -> None:
    end = months_after(start, months)
    assert (end.year - start.year) * 12 + end.month - start.month == months
    # The same day, or the last one of a month that has no such day.
    assert end.day == start.day or (end.day < start.day and (end + DAY).day == 1)


class TestWorkedExamples:
    """Code de la consommation, L217-13 and L217-28."""

    def test_a_repair_adds_six_months_and_the_days_without_the_unit(self) -> None:
        covers = sold(date(2024, 6, 15), date(2024, 6, 15))
        assert ends(covers) == [date(2026, 6, 15)]
        at_once = repair(date(2025, 3, 1), date(2025, 3, 1))
        assert ends(covers, at_once) == [date(2026, 12, 15)]
        assert ends(covers, repair(date(2025, 3, 1), date(2025, 3, 15))) == [date(2026, 12, 29)]

    def test_a_commercial_warranty_is_suspended_only(self) -> None:
        [_, parts] = sold(date(2024, 6, 15), date(2024, 6, 15), parts=24)
        away = repair(date(2025, 3, 1), date(2025, 3, 6), "commercial")
        assert ends([parts], away) == [date(2026, 6, 20)]

    def test_months_are_counted_from_the_first_day(self) -> None:
        covers = sold(date(2024, 8, 31), date(2024, 8, 31))
        first, second = (repair(day, day) for day in (date(2025, 1, 2), date(2026, 3, 4)))
        assert ends(covers, first) == [date(2027, 2, 28)]
        assert ends(covers, first, second) == [date(2027, 8, 31)]

    def test_a_day_is_that_of_the_products_place(self) -> None:
        covers = sold(date(2024, 6, 15), date(2024, 6, 15))
        late = datetime(2026, 6, 15, 22, 30, tzinfo=UTC)
        in_paris = view(covers, place=PARIS, delivery_date=date(2024, 6, 15))
        assert in_paris.warranty_at(late).decision == "not_covered"
        assert in_paris.warranty_at(late - timedelta(hours=1)).decision == "covered"
        assert view(covers, place=REUNION).warranty_at(late - timedelta(hours=2)).decision == "not_covered"

    def test_what_is_dated_tomorrow_is_covered_when_its_day_comes(self) -> None:
        tomorrow = date(2026, 11, 30)
        unit = view(sold(tomorrow, tomorrow), place=PARIS, purchase_date=tomorrow, delivery_date=tomorrow)
        before = datetime(2026, 11, 29, 16, 46, tzinfo=UTC)
        assert unit.warranty_at(before).why == "no_cover_yet"
        assert unit.warranty_at(datetime(2026, 11, 29, 23, 0, tzinfo=UTC)).decision == "covered"


@given(purchase=DAYS, wait=st.integers(0, 400), parts=MONTHS, labour=MONTHS, data=st.data())
def test_every_day_of_the_legal_term_is_covered(
    purchase: date, wait: int, parts: int, labour: int, data: st.DataObject
) -> None:
    delivery = purchase + wait * DAY
    shown = view(sold(purchase, delivery, parts, labour))
    last = months_after(delivery, 24)
    for on in (delivery, last, data.draw(st.dates(delivery, last))):
        assert shown.warranty(on).decision == "covered"


@given(purchase=DAYS, wait=st.integers(0, 400), parts=MONTHS, labour=MONTHS, after=st.integers(1, 3000))
def test_after_all_covers_nothing_is_covered(
    purchase: date, wait: int, parts: int, labour: int, after: int
) -> None:
    delivery = purchase + wait * DAY
    last = max(months_after(delivery, 24), months_after(purchase, max(parts, labour)))
    told = view(sold(purchase, delivery, parts, labour)).warranty(last + after * DAY)
    assert (told.decision, told.why, told.until) == ("not_covered", "covers_ended", last)
    assert (told.parts, told.labour, told.travel) == (0, 0, 0)


@given(purchase=DAYS, wait=st.integers(0, 400), parts=MONTHS, labour=MONTHS, later=st.integers(-30, 20_000))
def test_each_share_is_paid_while_a_cover_pays_it(
    purchase: date, wait: int, parts: int, labour: int, later: int
) -> None:
    delivery, on = purchase + wait * DAY, purchase + later * DAY
    told = view(sold(purchase, delivery, parts, labour)).warranty(on)

    legal = delivery <= on <= months_after(delivery, 24)
    pays_parts = legal or (parts > 0 and purchase <= on <= months_after(purchase, parts))
    pays_labour = legal or (labour > 0 and purchase <= on <= months_after(purchase, labour))
    assert (told.parts, told.labour, told.travel) == (
        100 * pays_parts,
        100 * pays_labour,
        100 * pays_labour,
    )
    kind = "legal_conformity" if legal else "commercial"
    assert (told.parts_cover, told.labour_cover) == (
        kind if pays_parts else None,
        kind if pays_labour else None,
    )
    both = {pays_parts, pays_labour}
    assert told.decision == ("covered" if both == {True} else "not_covered" if both == {False} else "partly")


def test_zero_months_make_no_cover() -> None:
    [only] = sold(date(2026, 1, 1), date(2026, 1, 1))
    assert only.kind == "legal_conformity"


REPAIRS = st.lists(
    st.tuples(st.integers(0, 1500), st.integers(0, 90), st.sampled_from(["legal_conformity", "commercial"])),
    max_size=8,
)


@given(start=DAYS, spans=REPAIRS, shuffled=st.randoms())
def test_the_order_in_which_repairs_become_known_does_not_matter(
    start: date, spans: list[tuple[int, int, CoverKind]], shuffled: random.Random
) -> None:
    covers = sold(start, start, 36, 24)
    repairs = [repair(start + after * DAY, start + (after + away) * DAY, kind) for after, away, kind in spans]
    mixed = shuffled.sample(repairs, len(repairs))
    assert ends(covers, *mixed) == ends(covers, *repairs)


@given(start=DAYS, spans=REPAIRS)
def test_a_repair_never_shortens_a_cover(start: date, spans: list[tuple[int, int, CoverKind]]) -> None:
    covers = sold(start, start, 36, 24)
    known: list[CoveredRepair] = []
    for after, away, kind in sorted(spans, key=lambda span: span[:2]):
        before = ends(covers, *known)
        known.append(repair(start + after * DAY, start + (after + away) * DAY, kind))
        assert all(now >= was for now, was in zip(ends(covers, *known), before, strict=True))


@given(start=DAYS, spans=REPAIRS)
def test_a_legal_term_is_its_months_and_then_the_days_without_the_unit(
    start: date, spans: list[tuple[int, int, CoverKind]]
) -> None:
    """Counted day by day, independently of how the rule counts."""
    covers = sold(start, start)
    repairs = [repair(start + after * DAY, start + (after + away) * DAY, kind) for after, away, kind in spans]
    months, away, end = 24, set[date](), months_after(start, 24)
    for one in sorted(repairs, key=lambda one: (one.asked, one.back)):
        assert one.back
        if one.asked <= end:
            months += 6 * (one.covers == ["legal_conformity"])
            away |= {one.asked + n * DAY for n in range((one.back - one.asked).days)}
            end = months_after(start, months) + len(away) * DAY
    assert ends(covers, *repairs) == [end]


def test_two_repairs_at_once_suspend_once() -> None:
    covers = sold(date(2024, 6, 15), date(2024, 6, 15), parts=24)
    both = [
        repair(date(2025, 3, 1), date(2025, 3, 11), "commercial"),
        repair(date(2025, 3, 6), date(2025, 3, 16), "commercial"),
    ]
    assert ends(covers[1:], *both) == [date(2026, 6, 30)]


def test_an_extended_cover_is_extended_again() -> None:
    covers = sold(date(2024, 6, 15), date(2024, 6, 15))
    first = repair(date(2025, 3, 1), date(2025, 3, 1))
    in_the_extension = repair(date(2026, 12, 1), date(2026, 12, 1))
    assert ends(covers, in_the_extension) == [date(2026, 6, 15)]
    assert ends(covers, first, in_the_extension) == [date(2027, 6, 15)]


def test_eight_repairs_add_four_years() -> None:
    covers = sold(date(2024, 1, 10), date(2024, 1, 10))
    days = [months_after(date(2024, 2, 1), 3 * n) for n in range(8)]
    assert ends(covers, *(repair(day, day) for day in days)) == [date(2030, 1, 10)]


def test_before_2022_a_repair_added_nothing_and_short_ones_did_not_suspend() -> None:
    bought = date(2021, 6, 15)
    covers = sold(bought, bought, parts=60)
    short, long = repair(date(2022, 3, 1), date(2022, 3, 6)), repair(date(2022, 9, 1), date(2022, 9, 11))
    assert ends(covers, short) == [date(2023, 6, 15), date(2026, 6, 15)]
    assert ends(covers, short, long) == [date(2023, 6, 25), date(2026, 6, 25)]


def test_a_cover_does_not_end_while_the_unit_is_down() -> None:
    down = repair(date(2026, 6, 10), None)
    covers = sold(date(2024, 6, 15), date(2024, 6, 15))
    assert view(covers).warranty(date(2026, 8, 1)).decision == "not_covered"
    assert view(covers, repairs=[down]).warranty(date(2026, 8, 1)).decision == "covered"
    too_late = repair(date(2026, 6, 16), None)
    assert view(covers, repairs=[too_late]).warranty(date(2026, 8, 1)).decision == "not_covered"


def test_what_another_sold_has_no_legal_cover_against_us_and_says_who_owes_it() -> None:
    bought = date(2025, 1, 31)
    elsewhere = view([], sold_by="Brico Rhône", purchase_date=bought, delivery_date=bought)
    told = elsewhere.warranty(date(2026, 5, 1))
    assert (told.decision, told.why, told.owed_by) == ("not_covered", "sold_by_another", "Brico Rhône")
    later = elsewhere.warranty(date(2027, 2, 1))
    assert (later.why, later.owed_by) == ("covers_ended", None)


def test_a_used_unit_is_presumed_sound_after_a_year_and_a_manager_decides() -> None:
    bought = date(2025, 1, 31)
    used = view(
        sold(bought, bought, second_hand=True),
        second_hand=True,
        purchase_date=bought,
        delivery_date=bought,
    )
    assert used.warranty(date(2026, 1, 31)).decision == "covered"
    told = used.warranty(date(2026, 2, 1))
    assert (told.decision, told.why) == ("unknown", "defect_to_be_proven")
    assert used.warranty(date(2027, 2, 1)).decision == "not_covered"


def contract(**fields: object) -> Cover:
    usual = {
        "kind": "contract",
        "start": date(2026, 1, 1),
        "end": date(2026, 12, 31),
        "parts": 100,
        "labour": 100,
        "travel": 100,
        "reason": "contrat signé",
    }
    return Cover.model_validate(usual | fields)


@pytest.mark.parametrize("state", ["none", "submitted", "refused"])
def test_a_contract_pays_without_a_proof_and_what_it_leaves_is_unknown(state: str) -> None:
    whole = a(ProductView, proof_state=state, covers=[contract()]).warranty(date(2026, 5, 1))
    assert (whole.decision, whole.cover) == ("covered", "contract")
    labour = a(ProductView, proof_state=state, covers=[contract(parts=0)]).warranty(date(2026, 5, 1))
    assert (labour.decision, labour.why) == ("unknown", "proof_not_accepted")
    # What the contract pays is certain; which cover pays it in the end is not.
    assert (labour.parts, labour.labour, labour.travel) == (0, 100, 100)
    assert (labour.cover, labour.labour_cover) == (None, None)


def test_each_share_names_the_cover_that_pays_it() -> None:
    covers = [contract(parts=0), contract(kind="manufacturer", labour=0, travel=0), contract(kind="goodwill")]
    told = view(covers[:2]).warranty(date(2026, 5, 1))
    assert (told.parts_cover, told.labour_cover, told.travel_cover) == (
        "manufacturer",
        "contract",
        "contract",
    )
    assert told.decision == "covered"
    legal = sold(date(2026, 1, 1), date(2026, 1, 1))
    assert view([*covers, *legal]).warranty(date(2026, 5, 1)).paid_by() == {"legal_conformity"}


def test_a_voided_cover_pays_nothing() -> None:
    voided = contract(voided_at=datetime(2026, 3, 6, tzinfo=UTC))
    assert view([contract()]).warranty(date(2026, 5, 1)).decision == "covered"
    assert view([voided]).warranty(date(2026, 5, 1)).decision == "not_covered"


def test_a_unit_that_was_replaced_is_not_covered_from_that_day() -> None:
    old = view(
        sold(date(2025, 1, 10), date(2025, 1, 10)), replaced_on=date(2026, 10, 20), replaced_by_id=uuid4()
    )
    assert old.warranty(date(2026, 10, 19)).decision == "covered"
    assert old.warranty(date(2026, 10, 20)) == Warranty(decision="not_covered", why="replaced")
    for day in (20, 21):
        reported = datetime(2026, 10, day, 9, 0, tzinfo=UTC)
        assert old.warranty_at(reported).decision == "covered", (
            "faults are reported of units that are in place"
        )


def test_covers_from_before_they_had_months_keep_their_end() -> None:
    recorded = Cover(
        kind="commercial",
        start=date(2024, 6, 15),
        end=date(2026, 6, 15),
        parts=100,
        labour=0,
        travel=0,
    )
    assert ends([recorded], repair(date(2025, 3, 1), date(2025, 3, 15))) == [date(2026, 6, 15)]


def test_a_client_does_not_read_why_a_manager_gave_a_cover() -> None:
    told = view([contract(kind="goodwill", reason="cliente mécontente")])
    assert told.covers[0].reason == "cliente mécontente"
    assert told.for_client().covers[0].reason is None
