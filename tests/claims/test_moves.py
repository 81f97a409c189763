"""The moves of a réclamation by people: who may make which, with what, and what each leaves behind."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import VISIT, client, reclamation, visit
from given_parts import PUMP, article, lists, reserved, validates
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs, PolicyView
from sav_contracts.claims.photo import AddPhotos, PhotoAdded
from sav_contracts.claims.reclamation import (
    AssignTechnician,
    MoveReclamation,
    PhotosAdded,
    QualifyReclamation,
    ReclamationChanged,
    ReclamationClosed,
    ReclamationMoved,
    ReclamationReopened,
    Safety,
    TechnicianUnassigned,
)
from sav_contracts.claims.sla import SlaBreached, SlaWarning
from sav_contracts.files import StoredFile
from sav_contracts.interventions.visit import InterventionClosed, InterventionStarted

PICTURE = StoredFile(sha256="a" * 64, media_type="image/jpeg", size=2000, name="fuite.jpg")
ID, OTHER = UUID(int=100), UUID(int=101)
WITH_KARIM: dict[str, Any] = {"technician_id": world.karim.id, "assignment": 1}


async def moves(stage: Stage, to: str, by: Actor = world.marie, **fields: Any) -> Outcome:
    return await stage.when(MoveReclamation.model_validate({"reclamation_id": ID, "to": to} | fields), by=by)


def code(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem
    return outcome.problem.status, outcome.problem.code


def wrong(outcome: Outcome) -> list[str]:
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]


async def is_on_site(stage: Stage, status: str = "on_site") -> None:
    await stage.knows(visit(status=status, client_id=world.lea.id, technician_id=world.karim.id))


@pytest.mark.parametrize("status", ["submitted", "qualified", "awaiting_client", "assigned"])
@pytest.mark.parametrize("who", [world.lea, world.marie, world.alex], ids=lambda who: who.role)
async def test_its_client_or_a_manager_cancels_it_and_says_why(stage: Stage, who: Actor, status: str) -> None:
    await stage.given(reclamation(status=status))
    assert wrong(await moves(stage, "cancelled", who)) == ["reason"]
    told = (await moves(stage, "cancelled", who, reason="réparé par mon voisin")).only(ReclamationMoved)
    assert (told.before, told.after, told.reason) == (status, "cancelled", "réparé par mon voisin")
    assert told.state.reason == told.for_client().reason == "réparé par mon voisin"


async def test_a_manager_rejects_it_and_the_client_reads_why(stage: Stage) -> None:
    await stage.given(reclamation())
    assert wrong(await moves(stage, "rejected")) == ["reason"]
    told = (await moves(stage, "rejected", reason="appareil d’un autre vendeur")).only(ReclamationMoved)
    assert told.state.status == "rejected"
    assert told.for_client().reason == "appareil d’un autre vendeur"


@pytest.mark.parametrize("before", ["submitted", "qualified"])
async def test_what_the_client_is_asked_is_told_to_them_and_their_photo_answers_it(
    stage: Stage, before: str
) -> None:
    await stage.given(reclamation(status=before))
    assert wrong(await moves(stage, "awaiting_client", reason="interne")) == ["question"]
    asked = (await moves(stage, "awaiting_client", question="Quel code ?", reason="interne")).only(
        ReclamationMoved
    )
    shown = asked.state.for_client()
    assert (asked.for_client().question, asked.for_client().reason) == ("Quel code ?", None)
    assert (shown.question, asked.state.before_waiting) == ("Quel code ?", before)

    photos = AddPhotos(reclamation_id=ID, photos=[PICTURE])
    by_staff = await stage.when(photos, by=world.marie)
    by_staff.only(PhotoAdded)
    _, answered, told = (await stage.when(photos, by=world.lea)).events
    assert isinstance(answered, ReclamationMoved)
    assert isinstance(told, PhotosAdded)
    assert told.answers
    assert (answered.before, answered.after) == ("awaiting_client", before)
    assert (answered.state.question, answered.state.before_waiting) == (None, None)


async def test_whoever_no_mail_reaches_is_asked_by_telephone(stage: Stage) -> None:
    mute = client(Actor(id=UUID(int=77), role=world.lea.role))
    mute.email = ""
    await stage.given(mute, reclamation(client_id=mute.id))
    refused = await moves(stage, "awaiting_client", question="Quel code ?")
    assert (wrong(refused), refused.events) == (["by_phone"], [])
    asked = await moves(stage, "awaiting_client", question="Quel code ?", by_phone=True)
    assert asked.only(ReclamationMoved).state.question == "Quel code ?"


async def test_a_manager_takes_it_back_from_the_client_to_where_it_was_only(stage: Stage) -> None:
    await stage.given(reclamation(status="awaiting_client", before_waiting="qualified", question="Et ?"))
    refused = await moves(stage, "submitted")
    assert code(refused) == (409, "illegal_move")
    assert refused.problem
    assert refused.problem.moves == ["qualified", "cancelled", "rejected", "merged"]
    assert (await moves(stage, "qualified")).only(ReclamationMoved).state.question is None


async def test_what_is_qualified_while_it_waits_for_the_client_is_so_afterwards(stage: Stage) -> None:
    await stage.given(reclamation(status="awaiting_client", before_waiting="submitted", question="Et ?"))
    qualifying = QualifyReclamation(reclamation_id=ID, priority="high", reason="vu au téléphone")
    assert (await stage.when(qualifying, by=world.marie)).problem is None
    photos = AddPhotos(reclamation_id=ID, photos=[PICTURE])
    _, answered, told = (await stage.when(photos, by=world.lea)).events
    assert isinstance(answered, ReclamationMoved)
    assert isinstance(told, PhotosAdded)
    assert answered.after == "qualified"


async def test_a_client_answers_by_photo_or_comment_not_by_a_move(stage: Stage) -> None:
    await stage.given(reclamation(status="awaiting_client", before_waiting="qualified", question="Et ?"))
    refused = await moves(stage, "qualified", world.lea)
    assert code(refused) == (409, "illegal_move")
    assert refused.problem
    assert refused.problem.moves == ["cancelled"]


async def test_a_manager_resolves_it_with_a_code_and_it_closes_by_itself(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified"))
    assert wrong(await moves(stage, "resolved")) == ["resolution"]
    told = (await moves(stage, "resolved", resolution="advice")).only(ReclamationMoved)
    assert (told.state.status, told.state.resolution, told.resolution) == ("resolved", "advice", "advice")
    assert told.state.resolved_at
    closed = await stage.passes(datetime.now(UTC) + CutOffs().closes_after + timedelta(hours=1))
    assert closed.only(ReclamationClosed).state.closed_at


@pytest.mark.parametrize("status", ["resolved", "closed"])
@pytest.mark.parametrize("who", [world.lea, world.marie], ids=lambda who: who.role)
async def test_what_is_reopened_has_no_resolution_and_is_linked_to_the_earlier_visit(
    stage: Stage, who: Actor, status: str
) -> None:
    ended: dict[str, Any] = {"resolution": "repaired", "resolved_at": stage.now(), "visit_id": VISIT}
    closed = {"closed_at": stage.now()} if status == "closed" else {}
    await stage.given(reclamation(status=status, **WITH_KARIM, **ended, **closed))
    assert wrong(await moves(stage, "reopened", who)) == ["reason"]
    told = (await moves(stage, "reopened", who, reason="elle s’arrête encore")).only(ReclamationReopened)
    state = told.state
    assert (state.status, state.resolution, state.resolved_at, state.closed_at) == (
        "reopened", None, None, None,
    )  # fmt: skip
    assert (state.technician_id, state.earlier_visit_id, told.earlier_visit_id) == (None, VISIT, VISIT)
    assert told.for_client().reason is None
    late = InterventionClosed(state=visit(technician_id=world.karim.id), outcome="completed")
    assert (await stage.hears(late)).events == []


async def test_the_closing_timer_leaves_a_reopened_one_alone(stage: Stage) -> None:
    await stage.given(reclamation(status="qualified"))
    await moves(stage, "resolved", resolution="advice")
    await moves(stage, "reopened", world.lea, reason="toujours en panne")
    later = (await stage.passes(datetime.now(UTC) + CutOffs().closes_after * 3)).events
    assert {type(event) for event in later} <= {SlaWarning, SlaBreached}
    assert (await moves(stage, "closed")).only(ReclamationClosed).state.status == "closed"


async def test_a_client_reopens_within_the_window_and_a_manager_later_too(stage: Stage) -> None:
    await stage.given(reclamation(status="closed", closed_at=stage.now() - CutOffs().reopens * 2))
    late = await moves(stage, "reopened", world.lea, reason="encore")
    assert code(late) == (409, "too_late_to_reopen")
    assert late.problem
    assert late.problem.moves == []
    (await moves(stage, "reopened", reason="encore")).only(ReclamationReopened)


async def test_the_window_is_a_policy(stage: Stage) -> None:
    value = {"reopens_days": 365}
    policy = a(PolicyView, CutOffs.id(), version=2, name="cut_offs", value=value)
    await stage.knows(policy)
    await stage.given(reclamation(status="closed", closed_at=stage.now() - timedelta(days=200)))
    (await moves(stage, "reopened", world.lea, reason="encore")).only(ReclamationReopened)


async def test_a_merged_one_gives_the_target_its_urgency_and_dangers(stage: Stage) -> None:
    danger = Safety(gas_smell=True)
    await stage.given(
        reclamation(priority="critical", priority_reason="danger", safety=danger),
        reclamation(id=OTHER, reference="REC-2026-000101", priority="low", safety=Safety(flooding=True)),
    )
    assert wrong(await moves(stage, "merged", target_id=OTHER)) == ["reason"]
    outcome = await moves(stage, "merged", target_id=OTHER, reason="deux fois la même panne")
    merged, changed = outcome.events
    assert isinstance(merged, ReclamationMoved)
    assert changed.type_name() == ReclamationChanged.type_name()
    assert (merged.state.status, merged.state.merged_into_id) == ("merged", OTHER)
    assert merged.target_reference == "REC-2026-000101"
    assert (changed.state.priority, changed.state.priority_reason) == ("critical", "danger")
    assert changed.state.safety == Safety(gas_smell=True, flooding=True)
    assert OTHER in merged.state.timeline_roots()


async def test_what_it_is_merged_into_is_another_open_one_of_the_same_client(stage: Stage) -> None:
    await stage.given(
        client(world.paul),
        reclamation(),
        reclamation(id=OTHER, reference="REC-2026-000101", client_id=world.paul.id),
        reclamation(id=UUID(int=102), reference="REC-2026-000102", status="closed"),
    )
    why: dict[str, Any] = {"reason": "doublon"}
    assert wrong(await moves(stage, "merged", **why)) == ["target_id"]
    assert wrong(await moves(stage, "merged", target_id=ID, **why)) == ["target_id"]
    assert wrong(await moves(stage, "merged", target_id=OTHER, **why)) == ["target_id"]
    assert code(await moves(stage, "merged", target_id=UUID(int=102), **why)) == (409, "target_over")
    assert code(await moves(stage, "merged", target_id=UUID(int=103), **why))[0] == 404


async def test_what_it_is_merged_into_is_not_resolved(stage: Stage) -> None:
    await stage.given(reclamation(), reclamation(id=OTHER, reference="REC-2026-000101", status="resolved"))
    outcome = await moves(stage, "merged", target_id=OTHER, reason="doublon")
    assert code(outcome) == (409, "target_resolved")
    assert outcome.events == []


async def test_a_technician_starts_theirs_and_waits_for_parts(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    assert (await moves(stage, "in_progress", world.karim)).only(ReclamationMoved).after == "in_progress"
    assert (await moves(stage, "awaiting_parts", world.karim)).only(
        ReclamationMoved
    ).after == "awaiting_parts"
    assert code(await moves(stage, "in_progress", world.sofia))[0] == 404
    assert code(await moves(stage, "resolved", world.karim, resolution="advice")) == (403, "not_allowed")


async def test_nobody_waits_for_parts_that_are_there(stage: Stage) -> None:
    await stage.knows(article(PUMP, "pump"))
    await stage.given(reclamation(status="in_progress", **WITH_KARIM))
    await lists(stage, pump=2)
    await validates(stage)
    await stage.hears(reserved(PUMP))
    assert code(await moves(stage, "awaiting_parts", world.karim)) == (409, "parts_are_there")


async def test_a_manager_takes_it_from_its_technician_and_says_why(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    assert wrong(await moves(stage, "qualified")) == ["reason"]
    told = (await moves(stage, "qualified", reason="Karim est malade")).only(TechnicianUnassigned)
    assert (told.technician_id, told.reason) == (world.karim.id, "Karim est malade")
    assert (told.state.status, told.state.technician_id) == ("qualified", None)


async def test_what_was_not_qualified_is_not_qualified_by_a_move(stage: Stage) -> None:
    await stage.given(reclamation())
    assert code(await moves(stage, "qualified")) == (409, "qualify_first")


@pytest.mark.parametrize("visit_is", ["on_site", "in_progress", "paused"])
@pytest.mark.parametrize("to", ["cancelled", "merged", "resolved", "qualified"])
async def test_nothing_ends_it_or_takes_it_from_a_technician_on_site(
    stage: Stage, to: str, visit_is: str
) -> None:
    await stage.given(
        reclamation(status="assigned", **WITH_KARIM), reclamation(id=OTHER, reference="REC-2026-000101")
    )
    await is_on_site(stage, visit_is)
    fields: dict[str, Any] = {"reason": "trop tard", "resolution": "advice", "target_id": OTHER}
    refused = await moves(stage, to, **fields)
    assert code(refused) == (409, "visit_under_way")
    assert refused.problem
    assert refused.problem.moves == ["in_progress"]


async def test_a_client_does_not_cancel_while_the_technician_is_there(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    await is_on_site(stage)
    refused = await moves(stage, "cancelled", world.lea, reason="trop tard")
    assert code(refused) == (409, "visit_under_way")
    assert refused.problem
    assert refused.problem.moves == []


async def test_nobody_else_gets_it_while_its_technician_is_there(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", **WITH_KARIM))
    await is_on_site(stage)
    refused = await stage.when(
        AssignTechnician(reclamation_id=ID, technician_id=world.sofia.id), by=world.marie
    )
    assert code(refused) == (409, "visit_under_way")
    assert refused.events == []


async def test_a_reopened_one_may_go_to_the_technician_who_had_it(stage: Stage) -> None:
    await stage.given(reclamation(status="resolved", resolution="repaired", visit_id=VISIT, **WITH_KARIM))
    await moves(stage, "reopened", world.lea, reason="encore")
    again = await stage.when(
        AssignTechnician(reclamation_id=ID, technician_id=world.karim.id), by=world.marie
    )
    assert again.problem is None
    started = InterventionStarted(state=visit(status="in_progress", technician_id=world.karim.id))
    assert (await stage.hears(started)).events == [], "the start of the visit that did not help"


@pytest.mark.parametrize(
    ("status", "who", "legal"),
    [
        ("submitted", world.lea, ["cancelled"]),
        ("resolved", world.lea, ["closed", "reopened"]),
        ("closed", world.lea, ["reopened"]),
        ("in_progress", world.lea, []),
        ("assigned", world.karim, ["in_progress"]),
        ("reopened", world.marie, ["qualified", "assigned", "closed", "merged"]),
        ("merged", world.marie, []),
    ],
)
async def test_a_refusal_names_what_this_caller_can_make_of_it(
    stage: Stage, status: str, who: Actor, legal: list[str]
) -> None:
    await stage.given(reclamation(status=status, closed_at=stage.now(), **WITH_KARIM))
    wanted = "reopened" if status == "submitted" else "submitted"
    refused = await moves(stage, wanted, who, reason="x")
    assert refused.problem
    assert (refused.problem.status, refused.problem.moves) == (409, legal)


def test_merging_keeps_what_is_more_urgent_here() -> None:
    now = datetime.now(UTC)
    one = reclamation(priority="high", created_at=now)
    other = reclamation(priority="low", safety=Safety(), created_at=now)
    assert not one.merge_in(other)
    assert one.priority == "high"
