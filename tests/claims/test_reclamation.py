"""Opening, qualifying and assigning réclamations."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
import world
from given_claims import client, reclamation, technician

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    OpenReclamation,
    QualifyReclamation,
    ReclamationCreated,
    ReclamationQualified,
    Safety,
    TechnicianAssigned,
)
from sav_contracts.slot import Slot

RECLAMATION = UUID(int=100)
PLACE = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}


def opening(client_id: UUID | None = None, **fields: object) -> OpenReclamation:
    usual = {
        "article": "Mitigeur",
        "problem_type": "noise",
        "description": "il siffle",
        "client_id": client_id,
        "place": None if "product_id" in fields else PLACE,
    }
    return OpenReclamation.model_validate({k: v for k, v in (usual | fields).items() if v is not None})


async def test_a_client_opens_a_reclamation_for_themselves(stage: Stage) -> None:
    outcome = await stage.when(opening(), by=world.lea)

    created = outcome.only(ReclamationCreated)
    assert created.state.client_id == world.lea.id
    assert created.state.status == "submitted"
    assert created.state.priority == "normal"
    assert created.state.reference.startswith("REC-20")
    assert outcome.reply["id"] == str(created.state.id)


async def test_a_client_does_not_read_staff_fields_in_the_reply(stage: Stage) -> None:
    outcome = await stage.when(opening(), by=world.lea)
    assert "priority" not in outcome.reply
    assert "reference" in outcome.reply


async def test_a_manager_opens_for_a_client_and_must_say_which(stage: Stage) -> None:
    opened = await stage.when(opening(world.lea.id), by=world.marie)
    assert opened.only(ReclamationCreated).state.client_id == world.lea.id

    nobody = await stage.when(opening(), by=world.marie)
    assert nobody.problem
    assert [error.field for error in nobody.problem.errors or []] == ["client_id"]


async def test_a_client_cannot_open_for_somebody_else(stage: Stage) -> None:
    await stage.given(client(world.paul))
    outcome = await stage.when(opening(world.paul.id), by=world.lea)
    assert outcome.problem
    assert outcome.problem.status == 404
    assert outcome.events == []


async def test_danger_makes_it_critical(stage: Stage) -> None:
    outcome = await stage.when(opening(safety=Safety(gas_smell=True)), by=world.lea)
    assert outcome.only(ReclamationCreated).state.priority == "critical"


async def test_two_reclamations_have_two_references(stage: Stage) -> None:
    first = await stage.when(opening(), by=world.lea)
    second = await stage.when(opening(), by=world.lea)
    assert first.reply["reference"] != second.reply["reference"]


async def test_a_manager_qualifies(stage: Stage) -> None:
    await stage.given(reclamation())
    outcome = await stage.when(
        QualifyReclamation(reclamation_id=RECLAMATION, priority="low", coverage="covered", reason="cosmetic"),
        by=world.marie,
    )
    state = outcome.only(ReclamationQualified).state
    assert (state.status, state.priority, state.coverage) == ("qualified", "low", "covered")
    assert state.version == 2


async def test_changing_the_priority_keeps_the_coverage(stage: Stage) -> None:
    first = QualifyReclamation(reclamation_id=RECLAMATION, priority="high", coverage="covered", reason="ours")
    await stage.given(reclamation())
    await stage.when(first, by=world.marie)
    again = QualifyReclamation(reclamation_id=RECLAMATION, priority="low", reason="not urgent")
    assert (await stage.when(again, by=world.marie)).only(ReclamationQualified).coverage == "covered"


async def test_qualifying_again_needs_a_reason(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified"))
    again = QualifyReclamation(reclamation_id=RECLAMATION, priority="low")
    refused = await stage.when(again, by=world.marie)
    assert refused.problem
    assert refused.problem.status == 422
    assert refused.events == []


@pytest.mark.parametrize("status", ["resolved", "closed", "cancelled"])
async def test_what_is_over_is_not_qualified_again(stage: Stage, status: str) -> None:
    await stage.given(reclamation(status=status))
    late = QualifyReclamation(reclamation_id=RECLAMATION, priority="low", reason="second thoughts")
    outcome = await stage.when(late, by=world.marie)
    assert outcome.problem
    assert outcome.problem.code == "illegal_move"


async def test_a_qualified_reclamation_goes_to_a_technician(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified"))
    outcome = await stage.when(
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.karim.id), by=world.marie
    )
    assigned = outcome.only(TechnicianAssigned)
    assert assigned.technician_id == assigned.state.technician_id == world.karim.id
    assert assigned.previous_technician_id is None
    assert assigned.state.status == "assigned"


async def test_reassigning_names_the_previous_technician(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await stage.when(
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.sofia.id), by=world.marie
    )
    assert outcome.only(TechnicianAssigned).previous_technician_id == world.karim.id


async def test_assigning_the_same_technician_again_is_refused(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await stage.when(
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.karim.id), by=world.marie
    )
    assert outcome.problem
    assert outcome.problem.code == "already_assigned"


@pytest.mark.parametrize(
    ("status", "legal"),
    [
        ("submitted", ["qualified", "awaiting_client", "cancelled", "rejected", "merged"]),
        ("in_progress", ["awaiting_parts", "resolved", "merged"]),
        ("closed", ["reopened"]),
    ],
)
async def test_an_illegal_assignment_is_answered_with_the_legal_moves(
    stage: Stage, status: str, legal: list[str]
) -> None:
    await stage.given(reclamation(status=status))
    outcome = await stage.when(
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.karim.id), by=world.marie
    )
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.moves) == (409, legal)


async def test_an_inactive_technician_is_refused(stage: Stage) -> None:
    gone = technician(world.sofia, active=False).model_copy(update={"version": 2})
    await stage.knows(gone)
    await stage.given(reclamation(status="qualified"))
    outcome = await stage.when(
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.sofia.id), by=world.marie
    )
    assert outcome.problem
    assert outcome.problem.code == "technician_unavailable"


async def test_an_unknown_technician_is_named_after_a_second(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified"))
    outcome = await stage.when(
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=UUID(int=9)), by=world.marie
    )
    assert outcome.problem
    assert outcome.problem.status == 422
    assert [error.field for error in outcome.problem.errors or []] == ["technician_id"]


def assigning(start: datetime, outside_hours: bool = False) -> AssignTechnician:
    slot = {"start": start, "end": start + timedelta(minutes=15)}
    return AssignTechnician.model_validate(
        {"reclamation_id": RECLAMATION, "technician_id": world.karim.id, "slot": slot}
        | {"outside_hours": outside_hours}
    )


@pytest.mark.parametrize("outside_hours", [True, False])
async def test_a_wanted_time_travels_as_it_was_meant(stage: Stage, outside_hours: bool) -> None:
    await stage.given(reclamation(status="qualified"))
    start = stage.now() + timedelta(days=364)
    told = (await stage.when(assigning(start, outside_hours), by=world.marie)).only(TechnicianAssigned)
    assert told.slot == Slot(start=start, end=start + timedelta(minutes=15))
    assert told.outside_hours is outside_hours


async def test_the_owners_clock_says_what_is_to_come_and_too_far_ahead(stage: Stage) -> None:
    """Whoever sent the command may have done so a while ago, by another clock."""
    await stage.given(reclamation(status="qualified"))
    soon = stage.now() + timedelta(minutes=1)
    too_far = soon + timedelta(days=366)
    assert refused(await stage.when(assigning(too_far), by=world.marie)) == (422, ["slot"])
    await stage.passes(timedelta(minutes=2))
    assert refused(await stage.when(assigning(soon), by=world.marie)) == (422, ["slot"])
    await stage.passes(timedelta(days=2))
    assert (await stage.when(assigning(too_far), by=world.marie)).problem is None


def refused(outcome: Outcome) -> tuple[int, list[str]]:
    assert outcome.problem
    return outcome.problem.status, [error.field for error in outcome.problem.errors or []]


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_qualify_and_assign(stage: Stage, who: Actor) -> None:
    await stage.given(reclamation(status="qualified", technician_id=world.karim.id))
    for command in (
        QualifyReclamation(reclamation_id=RECLAMATION, priority="low", reason="because"),
        AssignTechnician(reclamation_id=RECLAMATION, technician_id=world.sofia.id),
    ):
        outcome = await stage.when(command, by=who)
        assert outcome.problem
        assert outcome.problem.status == 403
        assert outcome.events == []


async def test_a_reclamation_that_does_not_exist_is_not_found_at_once(stage: Stage) -> None:
    outcome = await stage.when(QualifyReclamation(reclamation_id=UUID(int=7), priority="low"), by=world.marie)
    assert outcome.problem
    assert outcome.problem.status == 404
