"""Triage of many réclamations at once."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import reclamation, technician

from sav_chassis.testing import Stage
from sav_contracts.claims.reclamation import (
    QualifyReclamation,
    ReclamationMoved,
    ReclamationQualified,
    TechnicianAssigned,
)
from sav_contracts.claims.triage import TriageAnswer, TriageReclamations

IDS = [UUID(int=number) for number in range(101, 107)]


@pytest.fixture
async def six(stage: Stage) -> Stage:
    for number, id in enumerate(IDS):
        await stage.given(reclamation(id=id, reference=f"REC-2026-00010{number}"))
    return stage


def triage(*items: dict[str, Any]) -> TriageReclamations:
    return TriageReclamations.model_validate({"items": items})


def qualify(id: UUID, **fields: Any) -> dict[str, Any]:
    return {"qualify": {"reclamation_id": id, "priority": "low"} | fields}


def assign(id: UUID, who: UUID = world.karim.id) -> dict[str, Any]:
    return {"assign": {"reclamation_id": id, "technician_id": who}}


def reject(id: UUID) -> dict[str, Any]:
    return {"reject": {"reclamation_id": id, "reason": "hors de notre secteur"}}


async def test_each_is_answered_on_its_own_in_the_order_that_was_sent(six: Stage) -> None:
    await six.knows(technician(world.paul, active=False))
    outcome = await six.when(
        triage(
            reject(IDS[5]),
            assign(IDS[4]),
            qualify(IDS[3]),
            assign(IDS[3]),
            qualify(IDS[2]),
            assign(IDS[2], world.paul.id),
            qualify(UUID(int=999)),
        ),
        by=world.marie,
    )
    told = [
        (item["status"], (item["problem"] or {}).get("code"), (item["problem"] or {}).get("status"))
        for item in outcome.reply["items"]
    ]
    assert told == [
        ("rejected", None, None),
        (None, "illegal_move", 409),
        ("qualified", None, None),
        ("assigned", None, None),
        ("qualified", None, None),
        (None, "technician_unavailable", 409),
        (None, "not_found", 404),
    ]
    assert [item["reclamation_id"] for item in outcome.reply["items"]][:2] == [str(IDS[5]), str(IDS[4])]
    assert [(type(event), event.state.id) for event in outcome.events] == [
        (ReclamationQualified, IDS[2]),
        (ReclamationQualified, IDS[3]),
        (TechnicianAssigned, IDS[3]),
        (ReclamationMoved, IDS[5]),
    ]
    assert outcome.events[0].state.technician_id is None
    again = await six.when(triage(qualify(IDS[4])), by=world.alex)
    assert again.reply["items"][0]["status"] == "qualified"


async def test_a_refusal_after_a_success_leaves_the_success(six: Stage) -> None:
    """The view that is told is the one before the refused change."""
    await six.when(triage(qualify(IDS[0])), by=world.marie)
    late = qualify(IDS[0], priority="high", coverage="covered", reason="un geste")
    bad = qualify(IDS[0], priority="critical")
    outcome = await six.when(triage(late, bad), by=world.marie)
    assert [(item["problem"] or {}).get("code") for item in outcome.reply["items"]] == [None, "invalid"]
    state = outcome.only(ReclamationQualified).state
    assert (state.priority, state.coverage, state.version) == ("high", "covered", 3)


async def test_the_refusal_speaks_both_languages_until_the_edge_chooses(six: Stage) -> None:
    outcome = await six.when(triage(assign(IDS[0])), by=world.marie)
    answer = TriageAnswer.model_validate(outcome.reply)
    english, french = (answer.spoken(chosen).items[0].problem for chosen in (False, True))
    assert english
    assert french
    assert english.detail != french.detail
    assert (english.french, french.french) == (None, None)


async def test_it_is_done_once_under_one_key(six: Stage) -> None:
    command = triage(qualify(IDS[0]), reject(IDS[1]))
    first = await six.when(command, by=world.marie, key="triage")
    again = await six.when(command, by=world.marie, key="triage")
    assert len(first.events) == 2
    assert (again.events, again.reply) == ([], first.reply)


@pytest.mark.parametrize("items", [(), ({},), (qualify(IDS[0]) | reject(IDS[0]),), (qualify(IDS[0]),) * 201])
def test_what_is_no_triage_is_refused_as_a_whole(items: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ValueError, match="items"):
        triage(*items)


async def test_triages_and_single_commands_at_once_do_not_block_each_other(six: Stage) -> None:
    async def many(ids: list[UUID]) -> list[Any]:
        told = await six.when(triage(*(qualify(id, reason="en lot") for id in ids)), by=world.marie)
        assert told.problem is None, told.problem
        return [item["problem"] for item in told.reply["items"]]

    async def one(id: UUID) -> None:
        command = QualifyReclamation(reclamation_id=id, priority="high", reason="seule")
        assert (await six.when(command, by=world.alex)).problem is None

    found = await asyncio.gather(many(IDS), many(IDS[::-1]), *map(one, IDS), many(IDS[2:] + IDS[:2]))
    assert [problems for problems in found if problems and any(problems)] == []
