"""The parts list of a réclamation: listed by its technician, validated by a manager, followed by the stock."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import reclamation
from given_orders import placed
from given_parts import (
    CLAIM,
    COVERED,
    GONE,
    JOINT,
    PUMP,
    VALVE,
    article,
    code,
    lists,
    reservation,
    reserved,
    short,
    states,
    validates,
    wanted,
)

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import Actor
from sav_contracts.catalog.reservation import StockReleased, StockUsed
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.parts_list import ListParts, PartsArrived, PartsRequested, PartsValidated
from sav_contracts.claims.reclamation import QualifyReclamation, ReclamationChanged, ReclamationForClient
from sav_contracts.parts import PartForClient, PartWanted


@pytest.fixture
async def repair(stage: Stage) -> Stage:
    """Karim's réclamation, in progress, and what the catalogue has."""
    await stage.given(
        reclamation(status="in_progress", technician_id=world.karim.id, warranty=COVERED, coverage="partly")
    )
    await stage.knows(
        article(PUMP, "pump"),
        article(VALVE, "valve", family="part"),
        article(JOINT, "joint", family="part"),
        article(GONE, "gone", status="retired"),
    )
    return stage


@pytest.fixture
async def listed(repair: Stage) -> Stage:
    """Two pumps and a valve, validated."""
    await lists(repair, pump=2, valve=1)
    await validates(repair)
    return repair


async def test_a_technician_lists_parts_for_a_manager_to_validate(repair: Stage) -> None:
    outcome = await lists(repair, pump=2, valve=1)
    told = outcome.only(PartsRequested)
    assert told.edition == told.state.parts_edition == 1
    assert told.state.parts_validated == 0
    assert states(outcome) == {"pump": ("listed", 2, 0), "valve": ("listed", 1, 0)}
    assert [(part.reference, part.article_id) for part in told.state.parts] == [
        ("R-501", PUMP),
        ("R-502", VALVE),
    ]


async def test_a_list_takes_the_place_of_the_one_before(repair: Stage) -> None:
    await lists(repair, pump=2, valve=1)
    outcome = await lists(repair, valve=3, joint=1)
    assert outcome.only(PartsRequested).edition == 2
    assert states(outcome) == {"valve": ("listed", 3, 0), "joint": ("listed", 1, 0)}


async def test_the_same_list_again_changes_nothing(repair: Stage) -> None:
    first = await lists(repair, pump=2)
    again = await lists(repair, pump=2)
    assert (again.problem, again.events) == (None, [])
    assert again.reply["version"] == first.reply["version"]


async def test_a_list_that_was_emptied_before_anybody_looked_is_nothing_to_look_at(repair: Stage) -> None:
    await lists(repair, pump=2)
    outcome = await lists(repair)
    assert outcome.only(ReclamationChanged).state.parts == ()
    assert code(await validates(repair, 2)) == (409, "nothing_to_validate")


async def test_a_manager_validates_it_with_what_the_warranty_pays(repair: Stage) -> None:
    await lists(repair, pump=2, valve=1)
    outcome = await validates(repair)
    told = outcome.only(PartsValidated)
    assert [(line.article_id, line.quantity, line.covered) for line in told.lines] == [
        (PUMP, 2, 80),
        (VALVE, 1, 80),
    ]
    assert [line.id for line in told.lines] == [part.id for part in told.state.parts]
    assert told.edition == told.state.parts_validated == 1
    assert states(outcome) == {"pump": ("validated", 2, 0), "valve": ("validated", 1, 0)}


@pytest.mark.parametrize(
    ("warranty", "covered"),
    [
        (None, None),
        (Warranty(decision="unknown", why="no_product"), None),
        (Warranty.of_shares(0, 0, 0, why="covers_ended"), 0),
    ],
    ids=["nobody decided", "unknown", "not covered"],
)
async def test_what_nobody_decided_is_neither_covered_nor_not(
    repair: Stage, warranty: Warranty | None, covered: int | None
) -> None:
    await repair.database.pool.execute("DELETE FROM reclamation")
    await repair.given(reclamation(status="assigned", technician_id=world.karim.id, warranty=warranty))
    await lists(repair, pump=1)
    assert [line.covered for line in (await validates(repair)).only(PartsValidated).lines] == [covered]


@pytest.mark.parametrize(
    ("by", "status"),
    [(world.lea, 403), (world.marie, 403), (world.alex, 403), (world.sofia, 404)],
    ids=["client", "manager", "admin", "another technician"],
)
async def test_only_its_technician_lists_parts(repair: Stage, by: Actor, status: int) -> None:
    assert code(await lists(repair, by=by, pump=1))[0] == status


@pytest.mark.parametrize("by", [world.lea, world.karim, world.alex], ids=["client", "technician", "admin"])
async def test_only_a_manager_validates_parts(repair: Stage, by: Actor) -> None:
    await lists(repair, pump=1)
    assert code(await validates(repair, by=by))[0] == 403


@pytest.mark.parametrize(
    "status", ["qualified", "awaiting_client", "assigned", "in_progress", "awaiting_parts"]
)
async def test_parts_are_listed_and_validated_while_work_goes_on(repair: Stage, status: str) -> None:
    await repair.database.pool.execute("UPDATE reclamation SET status = $1", status)
    assert (await lists(repair, pump=1)).problem is None
    assert (await validates(repair)).problem is None


@pytest.mark.parametrize(
    "status", ["submitted", "resolved", "closed", "reopened", "cancelled", "rejected", "merged"]
)
async def test_before_and_after_no_parts_are_listed_nor_validated(repair: Stage, status: str) -> None:
    await lists(repair, pump=1)
    await repair.database.pool.execute("UPDATE reclamation SET status = $1", status)
    assert code(await lists(repair, pump=2)) == (409, "no_parts_needed")
    assert code(await validates(repair)) == (409, "no_parts_needed")


async def test_only_the_list_that_the_manager_looked_at_is_validated(repair: Stage) -> None:
    await lists(repair, pump=1)
    await lists(repair, pump=2)
    assert code(await validates(repair, 1)) == (409, "another_list")
    assert code(await validates(repair, 3)) == (409, "another_list")
    assert (await validates(repair, 2)).only(PartsValidated).lines[0].quantity == 2


async def test_a_list_is_validated_once(listed: Stage) -> None:
    assert code(await validates(listed)) == (409, "nothing_to_validate")


async def test_where_no_parts_are_listed_nothing_is_validated(repair: Stage) -> None:
    assert code(await validates(repair)) == (409, "nothing_to_validate")


async def test_a_retired_article_is_not_listed_anew(repair: Stage) -> None:
    outcome = await lists(repair, pump=1, gone=1)
    assert code(outcome) == (422, "invalid")
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["parts.1.article_id"]


async def test_a_line_whose_article_was_retired_since_stays(listed: Stage) -> None:
    await listed.knows(article(PUMP, "pump", version=2, status="retired"))
    assert states(await lists(listed, pump=1)) == {"pump": ("listed", 1, 0)}


async def test_an_article_that_there_is_not_is_named(repair: Stage) -> None:
    parts = [*wanted(pump=1), PartWanted(article_id=UUID(int=999), quantity=1)]
    outcome = await repair.when(ListParts(reclamation_id=CLAIM, parts=parts), by=world.karim)
    assert code(outcome) == (422, "invalid")
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["parts.1.article_id"]


@pytest.mark.parametrize(
    "parts",
    [
        [{"article_id": str(PUMP), "quantity": 0}],
        [{"article_id": str(PUMP), "quantity": 1000}],
        [{"article_id": str(PUMP), "quantity": 1}] * 2,
        [{"article_id": str(UUID(int=n)), "quantity": 1} for n in range(41)],
    ],
    ids=["none", "too many", "one article twice", "too many lines"],
)
def test_a_list_of_the_wrong_shape_is_refused(parts: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="parts"):
        ListParts.model_validate({"reclamation_id": str(CLAIM), "parts": parts})


async def test_the_lines_follow_their_reservations(listed: Stage) -> None:
    assert states(await listed.hears(reserved(PUMP)))["pump"] == ("reserved", 2, 0)
    assert states(await listed.hears(short(VALVE, quantity=1)))["valve"] == ("back_ordered", 1, 0)
    some = StockUsed(state=reservation(PUMP, 2, used=1), quantity=1)
    assert states(await listed.hears(some))["pump"] == ("reserved", 2, 1)
    all_ = StockUsed(state=reservation(PUMP, 3, used=2, status="used"), quantity=1)
    assert states(await listed.hears(all_))["pump"] == ("used", 2, 2)
    released = StockReleased(state=reservation(VALVE, 2, quantity=1, status="released"))
    assert states(await listed.hears(released))["valve"] == ("released", 1, 0)


async def test_views_do_not_show_how_the_lines_know(listed: Stage) -> None:
    told = (await listed.hears(reserved(PUMP))).only(ReclamationChanged)
    assert "reservation" not in told.model_dump_json()
    shown = told.state.for_client()
    assert type(shown) is ReclamationForClient
    assert shown.parts[0].model_dump().keys() == PartForClient.model_fields.keys()
    assert {"reference", "covered", "id", "parts_edition"}.isdisjoint(PartForClient.model_fields)


async def test_news_of_a_reservation_that_come_late_or_twice_change_nothing(listed: Stage) -> None:
    told = enveloped(reserved(PUMP, version=2))
    await listed.hears(told)
    assert (await listed.hears(told)).events == []
    assert (await listed.hears(short(PUMP, version=1))).events == []
    row = await listed.database.pool.fetchrow("SELECT parts_awaited FROM reclamation")
    assert row is not None
    assert not row["parts_awaited"]


async def test_a_reservation_for_an_order_is_not_of_a_claim(listed: Stage) -> None:
    await listed.given(placed(id=CLAIM))
    told = enveloped(reserved(PUMP, for_kind="order"))
    assert (await listed.hears(told)).events == []
    assert await listed.outcome_of(told, "follow_reservation") == "not for a réclamation"


async def test_lines_that_stay_as_they_were_keep_what_is_reserved_for_them(listed: Stage) -> None:
    await listed.hears(reserved(PUMP))
    await listed.hears(reserved(VALVE, quantity=1))
    again = await lists(listed, pump=2, joint=1)
    assert states(again) == {"pump": ("reserved", 2, 0), "joint": ("listed", 1, 0)}
    lines = (await validates(listed, 2)).only(PartsValidated).lines
    assert [(line.article_id, line.quantity) for line in lines] == [(PUMP, 2), (JOINT, 1)]


async def test_a_line_that_changes_waits_for_its_manager_and_then_for_its_reservation(listed: Stage) -> None:
    await listed.hears(reserved(PUMP))
    assert states(await lists(listed, pump=3, valve=1))["pump"] == ("listed", 3, 0)
    # Late news of the old quantity say nothing of the new one.
    assert states(await listed.hears(reserved(PUMP, version=2)))["pump"] == ("listed", 3, 0)
    assert states(await validates(listed, 2))["pump"] == ("validated", 3, 0)
    assert states(await listed.hears(short(PUMP, version=3, quantity=3)))["pump"] == ("back_ordered", 3, 0)


async def test_a_line_that_shrinks_below_what_is_used_meanwhile_is_used(listed: Stage) -> None:
    await listed.hears(reserved(PUMP))
    await lists(listed, pump=1, valve=1)
    used = StockUsed(state=reservation(PUMP, 2, used=2, status="used"), quantity=2)
    assert states(await listed.hears(used))["pump"] == ("listed", 2, 2)
    assert states(await validates(listed, 2))["pump"] == ("used", 2, 2)


async def test_a_line_that_changes_back_is_what_its_reservation_is(listed: Stage) -> None:
    await listed.hears(reserved(PUMP))
    await lists(listed, pump=3, valve=1)
    assert states(await lists(listed, pump=2, valve=1))["pump"] == ("listed", 2, 0)
    assert states(await validates(listed, 3))["pump"] == ("reserved", 2, 0)


async def test_parts_that_are_built_in_stay_in_the_list(listed: Stage) -> None:
    await listed.hears(StockUsed(state=reservation(PUMP, used=2, status="used"), quantity=2))
    outcome = await lists(listed, joint=1)
    assert states(outcome) == {"joint": ("listed", 1, 0), "pump": ("used", 2, 2)}
    lines = (await validates(listed, 2)).only(PartsValidated).lines
    assert [line.article_id for line in lines] == [JOINT]


async def test_more_of_what_is_built_in_adds_to_it(listed: Stage) -> None:
    await listed.hears(StockUsed(state=reservation(PUMP, used=2, status="used"), quantity=2))
    assert states(await lists(listed, pump=1))["pump"] == ("listed", 3, 2)
    [line] = (await validates(listed, 2)).only(PartsValidated).lines
    assert (line.article_id, line.quantity) == (PUMP, 3)


async def test_what_is_not_needed_of_a_line_any_more_is_for_a_manager_to_validate(listed: Stage) -> None:
    await listed.hears(StockUsed(state=reservation(PUMP, used=1), quantity=1))
    outcome = await lists(listed)
    assert states(outcome) == {"pump": ("used", 1, 1)}
    assert isinstance(outcome.events[-1], PartsRequested)
    assert (await validates(listed, 2)).only(PartsValidated).lines == ()


async def test_with_those_that_are_built_in_a_list_stays_within_bounds(listed: Stage) -> None:
    await listed.hears(StockUsed(state=reservation(PUMP, used=2, status="used"), quantity=2))
    others = [UUID(int=5000 + number) for number in range(40)]
    await listed.knows(*(article(id, f"part {id.int}") for id in others))
    parts = [PartWanted(article_id=id, quantity=1) for id in others]
    outcome = await listed.when(ListParts(reclamation_id=CLAIM, parts=parts), by=world.karim)
    assert code(outcome) == (409, "too_many_parts")
    fewer = await listed.when(ListParts(reclamation_id=CLAIM, parts=parts[1:]), by=world.karim)
    assert len(fewer.only(PartsRequested).state.parts) == 40


async def test_a_list_leaves_room_for_what_others_say_of_the_claim(repair: Stage) -> None:
    await repair.database.pool.execute("UPDATE reclamation SET description = repeat('\U00020bb7', 4000)")
    articles = [UUID(int=5000 + number) for number in range(40)]
    await repair.knows(*(article(id, f"Joint torique 18 x 2,5 n° {id.int}") for id in articles))
    parts = [PartWanted(article_id=id, quantity=999) for id in articles]
    outcome = await repair.when(ListParts(reclamation_id=CLAIM, parts=parts), by=world.karim)
    assert code(outcome) == (413, "too_large")
    fits = await repair.when(ListParts(reclamation_id=CLAIM, parts=parts[:10]), by=world.karim)
    fits.only(PartsRequested)
    said = QualifyReclamation(
        reclamation_id=CLAIM, priority="low", coverage="covered", reason="\U00020bb7" * 500
    )
    assert (await repair.when(said, by=world.marie)).problem is None
    (await validates(repair)).only(PartsValidated)


async def test_the_longest_list_of_the_longest_names_fits_beside_a_usual_description(repair: Stage) -> None:
    articles = [UUID(int=5000 + number) for number in range(40)]
    await repair.knows(*(article(id, f"{'Joint ' * 30}{id.int}") for id in articles))
    parts = [PartWanted(article_id=id, quantity=999) for id in articles]
    outcome = await repair.when(ListParts(reclamation_id=CLAIM, parts=parts), by=world.karim)
    outcome.only(PartsRequested)
    (await validates(repair)).only(PartsValidated)


async def test_the_parts_have_arrived_when_the_last_one_that_was_awaited_is_reserved(listed: Stage) -> None:
    await listed.hears(short(PUMP))
    await listed.hears(short(VALVE, quantity=1))
    (await listed.hears(reserved(PUMP, version=2))).only(ReclamationChanged)
    (await listed.hears(reserved(VALVE, version=2, quantity=1))).only(PartsArrived)
    # Told once, until some are awaited again.
    (await listed.hears(reserved(VALVE, version=3, quantity=1))).only(ReclamationChanged)


async def test_parts_that_were_there_have_not_arrived(listed: Stage) -> None:
    (await listed.hears(reserved(PUMP))).only(ReclamationChanged)
    (await listed.hears(reserved(VALVE, quantity=1))).only(ReclamationChanged)


async def test_parts_have_not_arrived_while_another_list_waits_for_its_manager(listed: Stage) -> None:
    await listed.hears(short(PUMP))
    await listed.hears(reserved(VALVE, quantity=1))
    await lists(listed, pump=2, valve=1, joint=1)
    (await listed.hears(reserved(PUMP, version=2))).only(ReclamationChanged)
    await validates(listed, 2)
    (await listed.hears(reserved(JOINT, quantity=1))).only(PartsArrived)


async def test_parts_have_arrived_when_what_is_awaited_is_not_needed_any_more(listed: Stage) -> None:
    await listed.hears(short(PUMP))
    await listed.hears(reserved(VALVE, quantity=1))
    await lists(listed, valve=1)
    assert [type(event) for event in (await validates(listed, 2)).events] == [PartsValidated, PartsArrived]


async def test_after_its_end_nothing_arrives(listed: Stage) -> None:
    await listed.hears(short(PUMP))
    await listed.hears(reserved(VALVE, quantity=1))
    await listed.database.pool.execute("UPDATE reclamation SET status = 'closed'")
    (await listed.hears(reserved(PUMP, version=2))).only(ReclamationChanged)


async def test_lists_and_reservations_at_once_do_not_undo_each_other(listed: Stage) -> None:
    outcomes = await asyncio.gather(
        lists(listed, pump=2, valve=1, joint=1),
        listed.hears(reserved(PUMP)),
        listed.hears(reserved(VALVE, quantity=1)),
    )
    assert [outcome.problem for outcome in outcomes] == [None] * 3
    assert states(await validates(listed, 2)) == {
        "pump": ("reserved", 2, 0),
        "valve": ("reserved", 1, 0),
        "joint": ("validated", 1, 0),
    }
