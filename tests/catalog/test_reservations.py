"""Parts of réclamations: reserved, back-ordered, served in their order, released."""

import asyncio
from random import Random
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, JOINT, article, claim, stock, visit
from given_stock import (
    FIRST,
    SECOND,
    THIRD,
    comes_in,
    ends,
    have,
    line,
    movements,
    needs,
    of,
    over,
    shelf,
    validated,
)
from given_views import a

from sav_chassis.testing import Stage, enveloped
from sav_contracts.catalog.article import ArticleChanged
from sav_contracts.catalog.reservation import StockReleased, StockReserved, StockShort
from sav_contracts.catalog.stock import StockLevelChanged, StockLow, StockMoved
from sav_contracts.catalog.stocktake import RecordStocktake
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.parts_list import PartsValidated
from sav_contracts.claims.reclamation import ReclamationClosed, ReclamationMoved, ReclamationStatus
from sav_contracts.interventions.estimate import EstimateView, EstimateWithdrawn
from sav_contracts.interventions.visit import InterventionStatus


@pytest.fixture
async def five(stage: Stage) -> Stage:
    """Five boilers, of which two are the minimum."""
    await stage.given(article(minimum_stock=2), stock(minimum=2))
    await comes_in(stage, 5)
    return stage


async def test_what_is_there_is_reserved_and_not_free_any_more(five: Stage) -> None:
    outcome = await needs(five, FIRST, 2)
    [moved], [reserved] = of(outcome, StockMoved), of(outcome, StockReserved)
    assert (moved.movement, moved.quantity, moved.reason) == ("reserve", -2, "needed")
    assert (moved.state.level, moved.state.reserved, moved.state.back_ordered) == (3, 2, 0)
    assert (reserved.state.for_kind, reserved.state.for_id, reserved.state.quantity) == (
        "reclamation",
        FIRST,
        2,
    )
    assert (reserved.state.reference, reserved.state.status) == ("CH-24", "reserved")
    assert moved.reference == reserved.state.for_reference == "REC-2026-000001"
    assert await shelf(five) == (3, 2, 0)


async def test_a_line_is_reserved_whole_or_waits(five: Stage) -> None:
    outcome = await needs(five, FIRST, 6)
    [short], [level] = of(outcome, StockShort), of(outcome, StockLevelChanged)
    assert short.state.status == "back_ordered"
    assert (level.state.level, level.state.back_ordered) == (5, 6)
    assert len(outcome.events) == 2
    assert await shelf(five) == (5, 0, 6)


async def test_each_line_is_reserved_by_itself(five: Stage) -> None:
    await five.given(article(id=JOINT, reference="J-1"), stock(article_id=JOINT))
    outcome = await validated(five, FIRST, line(FIRST, 1, JOINT), line(FIRST, 5))
    assert [one.state.article_id for one in of(outcome, StockShort)] == [JOINT]
    assert [one.state.article_id for one in of(outcome, StockReserved)] == [BOILER]


async def test_the_article_is_out_of_stock_when_the_last_one_is_reserved(five: Stage) -> None:
    outcome = await needs(five, FIRST, 5)
    [changed] = of(outcome, ArticleChanged)
    assert not changed.state.in_stock
    assert [one.state.in_stock for one in of(await ends(five, FIRST), ArticleChanged)] == [True]


async def test_stock_is_low_once_when_what_is_free_falls_below_the_minimum(five: Stage) -> None:
    assert of(await needs(five, FIRST, 3), StockLow) == []
    [low] = of(await needs(five, SECOND, 1), StockLow)
    assert (low.state.level, low.state.reserved) == (1, 4)
    assert of(await needs(five, THIRD, 1), StockLow) == []
    # What comes in goes to nobody who waits, so that it is at its minimum again.
    assert of(await comes_in(five, 2), StockLow) == []
    assert len(of(await comes_in(five, 1, "consume"), StockLow)) == 1


async def test_stock_that_goes_to_those_who_wait_was_never_there_to_be_low_again(five: Stage) -> None:
    await needs(five, FIRST, 5)
    await needs(five, SECOND, 4)
    outcome = await comes_in(five, 4)
    assert [one.quantity for one in of(outcome, StockMoved)] == [4, -4]
    assert of(outcome, StockLow) == []
    assert of(outcome, ArticleChanged) == []


@pytest.mark.parametrize("movement", ["receive", "return", "adjust"])
async def test_what_comes_in_goes_to_those_who_wait(five: Stage, movement: str) -> None:
    await needs(five, FIRST, 5)
    await needs(five, SECOND, 2)
    await needs(five, THIRD, 1)
    assert await have(five) == {
        FIRST: ("reserved", 5),
        SECOND: ("back_ordered", 2),
        THIRD: ("back_ordered", 1),
    }
    outcome = await comes_in(five, 3, movement)
    assert [one.state.for_id for one in of(outcome, StockReserved)] == [SECOND, THIRD]
    assert await shelf(five) == (0, 8, 0)


async def test_nobody_overtakes_who_has_waited_for_longer(five: Stage) -> None:
    await needs(five, FIRST, 7)
    waits = await needs(five, SECOND, 1)
    assert len(of(waits, StockShort)) == 1
    assert await shelf(five) == (5, 0, 8)
    assert of(await comes_in(five, 1), StockReserved) == []
    both = await comes_in(five, 2)
    assert [one.state.for_id for one in of(both, StockReserved)] == [FIRST, SECOND]
    assert await shelf(five) == (0, 8, 0)


async def test_what_is_released_goes_to_those_who_wait(five: Stage) -> None:
    await needs(five, FIRST, 4)
    await needs(five, SECOND, 3)
    outcome = await ends(five, FIRST)
    [released], [reserved] = of(outcome, StockReleased), of(outcome, StockReserved)
    assert (released.state.for_id, released.state.status) == (FIRST, "released")
    assert (reserved.state.for_id, reserved.state.status) == (SECOND, "reserved")
    assert [(one.movement, one.quantity, one.reason) for one in of(outcome, StockMoved)] == [
        ("release", 4, "no_longer_needed"),
        ("reserve", -3, "needed"),
    ]
    assert await shelf(five) == (2, 3, 0)


async def test_when_the_first_stops_waiting_the_next_is_served(five: Stage) -> None:
    await needs(five, FIRST, 9)
    await needs(five, SECOND, 3)
    outcome = await ends(five, FIRST)
    assert [one.state.for_id for one in of(outcome, StockReserved)] == [SECOND]
    assert await shelf(five) == (2, 3, 0)


@pytest.mark.parametrize("status", ["cancelled", "rejected", "merged", "closed"])
async def test_however_it_ends_nothing_stays_reserved(five: Stage, status: ReclamationStatus) -> None:
    await needs(five, FIRST, 2)
    await five.knows(over(FIRST, status))
    moved = ReclamationMoved(state=over(FIRST, status), before="assigned", after=status)
    assert len(of(await five.hears(moved), StockReleased)) == 1
    assert await shelf(five) == (5, 0, 0)


@pytest.mark.parametrize("begun", [False, True])
async def test_whoever_withdraws_gives_parts_back_unless_the_work_has_begun(five: Stage, begun: bool) -> None:
    await needs(five, FIRST, 2)
    state = a(EstimateView, reclamation_id=FIRST, status="withdrawn")
    outcome = await five.hears(EstimateWithdrawn(state=state, at=five.now(), begun=begun))
    assert len(of(outcome, StockReleased)) == (0 if begun else 1)
    assert await shelf(five) == ((3, 2, 0) if begun else (5, 0, 0))


@pytest.mark.parametrize("status", ["planned", "cancelled"])
async def test_a_visit_that_a_warranty_pays_for_keeps_its_parts_after_a_withdrawal(
    five: Stage, status: InterventionStatus
) -> None:
    await needs(five, FIRST, 2)
    paid = Warranty.of_shares(100, 100, 100, why="decided_by_manager")
    await five.knows(visit(reclamation_id=FIRST, status=status, warranty=paid))
    state = a(EstimateView, reclamation_id=FIRST, status="withdrawn")
    await five.hears(EstimateWithdrawn(state=state, at=five.now(), cancels=False))
    assert await shelf(five) == ((3, 2, 0) if status == "planned" else (5, 0, 0))


async def test_a_withdrawal_for_no_reclamation_releases_nothing(five: Stage) -> None:
    await needs(five, FIRST, 2)
    state = a(EstimateView, reclamation_id=None, status="withdrawn")
    assert (await five.hears(EstimateWithdrawn(state=state, at=five.now()))).events == []


async def test_a_resolved_one_keeps_its_parts_until_it_is_closed(five: Stage) -> None:
    await needs(five, FIRST, 2)
    resolved = claim(product_id=None, id=FIRST, status="resolved", version=50)
    await five.knows(resolved)
    moved = ReclamationMoved(state=resolved, before="in_progress", after="resolved")
    assert (await five.hears(moved)).events == []
    assert await shelf(five) == (3, 2, 0)
    await ends(five, FIRST)
    assert await shelf(five) == (5, 0, 0)


async def test_a_list_that_is_validated_again_changes_only_the_difference(five: Stage) -> None:
    await five.given(article(id=JOINT, reference="J-1"), stock(article_id=JOINT))
    await validated(five, FIRST, line(FIRST, 3), line(FIRST, 1, JOINT))
    same = await validated(five, FIRST, line(FIRST, 3), line(FIRST, 1, JOINT), edition=2)
    assert same.events == []
    fewer = await validated(five, FIRST, line(FIRST, 1), edition=3)
    assert [(one.movement, one.quantity) for one in of(fewer, StockMoved)] == [("release", 2)]
    assert [one.state.article_id for one in of(fewer, StockReleased)] == [JOINT]
    assert [one.state.quantity for one in of(fewer, StockReserved)] == [1]
    more = await validated(five, FIRST, line(FIRST, 4), edition=4)
    assert [(one.movement, one.quantity) for one in of(more, StockMoved)] == [("release", 1), ("reserve", -4)]
    assert await shelf(five) == (1, 4, 0)
    assert await shelf(five, JOINT) == (0, 0, 0)


async def test_a_line_that_grows_beyond_the_stock_waits_whole_and_keeps_its_turn(five: Stage) -> None:
    await needs(five, FIRST, 4)
    await needs(five, SECOND, 2)
    outcome = await needs(five, FIRST, 6, edition=2)
    assert [one.state.for_id for one in of(outcome, StockShort)] == [FIRST]
    assert await shelf(five) == (5, 0, 8)
    assert [one.state.for_id for one in of(await comes_in(five, 1), StockReserved)] == [FIRST]


async def test_a_line_that_waits_for_fewer_is_served_when_they_are_there(five: Stage) -> None:
    await needs(five, FIRST, 6)
    outcome = await needs(five, FIRST, 5, edition=2)
    assert [one.state.status for one in of(outcome, StockReserved)] == ["reserved"]
    assert await shelf(five) == (0, 5, 0)


async def test_a_line_that_is_needed_again_is_reserved_again(five: Stage) -> None:
    await needs(five, FIRST, 2)
    await validated(five, FIRST, edition=2)
    assert await have(five) == {FIRST: ("released", 2)}
    await needs(five, FIRST, 3, edition=3)
    assert await have(five) == {FIRST: ("reserved", 3)}


async def test_where_fewer_are_counted_than_are_reserved_who_came_last_waits_again(five: Stage) -> None:
    for id, quantity in ((FIRST, 1), (SECOND, 2), (THIRD, 2)):
        await needs(five, id, quantity)
    outcome = await comes_in(five, -3, "adjust")
    assert [(one.movement, one.quantity, one.reason) for one in of(outcome, StockMoved)] == [
        ("release", 2, "missing"),
        ("release", 2, "missing"),
        ("adjust", -3, "inventaire"),
    ]
    assert [one.state.for_id for one in of(outcome, StockShort)] == [THIRD, SECOND]
    assert await shelf(five) == (1, 1, 4)
    assert await have(five) == {
        FIRST: ("reserved", 1),
        SECOND: ("back_ordered", 2),
        THIRD: ("back_ordered", 2),
    }
    assert [one.state.for_id for one in of(await comes_in(five, 1), StockReserved)] == [SECOND]


async def test_a_stocktake_that_finds_fewer_than_are_reserved_makes_who_came_last_wait(five: Stage) -> None:
    for id, quantity in ((FIRST, 1), (SECOND, 2), (THIRD, 2)):
        await needs(five, id, quantity)
    found = {"counted_at": five.now(), "counts": [{"article_id": BOILER, "counted": 2}]}
    outcome = await five.when(RecordStocktake.model_validate(found), by=world.marie)
    assert [(one.movement, one.quantity) for one in of(outcome, StockMoved)] == [
        ("release", 2),
        ("release", 2),
        ("adjust", -3),
    ]
    assert await shelf(five) == (1, 1, 4)


async def test_what_is_free_covers_an_adjustment_first(five: Stage) -> None:
    await needs(five, FIRST, 3)
    assert len((await comes_in(five, -2, "adjust")).events) == 3
    assert await shelf(five) == (0, 3, 0)


async def test_no_more_can_be_missing_than_there_is(five: Stage) -> None:
    await needs(five, FIRST, 3)
    outcome = await comes_in(five, -6, "adjust")
    assert outcome.problem
    assert outcome.problem.code == "not_enough_stock"
    assert "the stock is 5" in outcome.problem.detail
    assert await shelf(five) == (2, 3, 0)


async def test_what_is_reserved_is_not_consumed_by_hand(five: Stage) -> None:
    await needs(five, FIRST, 3)
    outcome = await comes_in(five, 3, "consume")
    assert outcome.problem
    assert outcome.problem.code == "not_enough_stock"
    assert await shelf(five) == (2, 3, 0)


async def test_an_event_that_comes_twice_reserves_once(five: Stage) -> None:
    state = claim(product_id=None, id=FIRST, version=4, parts_edition=1, parts_validated=1)
    await five.knows(state)
    told = enveloped(PartsValidated(state=state, edition=1, lines=(line(FIRST, 2),)))
    assert (await five.hears(told)).events
    assert (await five.hears(told)).events == []
    assert await shelf(five) == (3, 2, 0)


async def test_a_list_whose_event_comes_after_the_end_reserves_nothing(five: Stage) -> None:
    await ends(five, FIRST)
    state = claim(product_id=None, id=FIRST, version=4, parts_edition=1, parts_validated=1)
    late = enveloped(PartsValidated(state=state, edition=1, lines=(line(FIRST, 2),)))
    assert (await five.hears(late)).events == []
    assert await five.outcome_of(late) == "obsolete: the réclamation is closed"
    assert await shelf(five) == (5, 0, 0)


async def test_a_list_whose_event_comes_after_a_newer_ones_reserves_nothing(five: Stage) -> None:
    await validated(five, FIRST, edition=2)
    state = claim(product_id=None, id=FIRST, version=4, parts_edition=1, parts_validated=1)
    late = enveloped(PartsValidated(state=state, edition=1, lines=(line(FIRST, 2),)))
    assert (await five.hears(late)).events == []
    assert await five.outcome_of(late) == "obsolete: another list was validated since"


async def test_an_end_that_is_heard_after_the_claim_was_opened_again_releases_nothing(
    five: Stage,
) -> None:
    await validated(five, FIRST, line(FIRST, 2), edition=2, version=95)
    late = enveloped(ReclamationClosed(state=over(FIRST, version=90)))
    assert (await five.hears(late)).events == []
    assert await five.outcome_of(late, "release_parts") == "obsolete: the réclamation was opened again"


@pytest.mark.parametrize("ended", [False, True], ids=["validated", "ended"])
async def test_an_event_waits_for_the_copy_that_says_what_came_after_it(five: Stage, ended: bool) -> None:
    state = (
        over(FIRST)
        if ended
        else claim(product_id=None, id=FIRST, version=4, parts_edition=1, parts_validated=1)
    )
    event = (
        ReclamationClosed(state=state)
        if ended
        else PartsValidated(state=state, edition=1, lines=(line(FIRST, 2),))
    )
    await five.knows(claim(product_id=None, id=FIRST, version=3))
    assert (await five.hears(event)).events == []
    [(_, why)] = await five.parked()
    assert "is not known here yet" in why


async def test_of_fifty_who_want_the_last_ten_ten_get_one_and_forty_wait(stage: Stage) -> None:
    await stage.given(article(), stock())
    await comes_in(stage, 10)
    claims = [UUID(int=1000 + number) for number in range(50)]
    outcomes = await asyncio.gather(*(needs(stage, id, 1) for id in claims))
    assert sum(len(of(outcome, StockMoved)) for outcome in outcomes) >= 10
    assert await shelf(stage) == (0, 10, 40)
    statuses = [status for status, _ in (await have(stage)).values()]
    assert (statuses.count("reserved"), statuses.count("back_ordered")) == (10, 40)
    assert await stage.parked() == []
    rows = await movements(stage)
    assert [row["quantity"] for row in rows] == [10] + [-1] * 10
    # Whoever waits gets the next ones, in the order in which they asked.
    turns = [
        row["for_id"]
        for row in await stage.database.pool.fetch(
            "SELECT for_id FROM reservation WHERE status = 'back_ordered' ORDER BY place"
        )
    ]
    served = of(await comes_in(stage, 15), StockReserved)
    assert [one.state.for_id for one in served] == turns[:15]
    assert await shelf(stage) == (0, 25, 25)


async def test_lists_of_the_same_parts_in_another_order_do_not_wait_in_a_circle(stage: Stage) -> None:
    chance = Random(1)
    # Sets of such ids come in any order.
    articles = [UUID(int=chance.getrandbits(128)) for _ in range(6)]
    for number, id in enumerate(articles):
        await stage.given(article(id=id, reference=f"A-{number}"), stock(level=100, article_id=id))
    claims = [UUID(int=1000 + number) for number in range(24)]
    await asyncio.gather(
        *(validated(stage, id, *(line(id, 1, one) for one in chance.sample(articles, 4))) for id in claims)
    )
    assert await stage.parked() == []
    assert sum([(await shelf(stage, id))[1] for id in articles]) == 24 * 4
