"""Photos of a visit: who adds them and when, which the report names, and when its client sees them."""

from typing import get_args
from uuid import UUID

import pytest
import world
from given_interventions import NOW, RECLAMATION, VISIT, report, visit

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import (
    MAX_REPORT_PHOTOS,
    ReportChanged,
    ReportPhoto,
    ReportValidated,
    SignReport,
    ValidateReport,
    WriteReport,
)
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.interventions.visit_photo import (
    MAX_VISIT_PHOTOS,
    AddVisitPhotos,
    VisitPhotoAdded,
    VisitPhotoChanged,
)
from sav_interventions.model import VisitPhoto


def picture(number: int = 0) -> StoredFile:
    return StoredFile(sha256=f"{number:064x}", media_type="image/jpeg", size=2000, name=f"joint-{number}.jpg")


def taken(number: int, **fields: object) -> VisitPhoto:
    """A photo that is there; its id is as its number."""
    usual = {
        "id": UUID(int=600 + number),
        "intervention_id": VISIT,
        "reclamation_id": RECLAMATION,
        "file": picture(number),
        "by": world.karim.role,
        "shown": False,
    }
    return VisitPhoto(**(usual | fields))


def named(*numbers: int) -> list[ReportPhoto]:
    return [ReportPhoto(photo_id=UUID(int=600 + number), file=picture(number)) for number in numbers]


async def add(stage: Stage, by: Actor, *photos: StoredFile) -> Outcome:
    return await stage.when(AddVisitPhotos(intervention_id=VISIT, photos=list(photos)), by=by)


async def write(stage: Stage, *photos: StoredFile) -> Outcome:
    what = WriteReport(
        intervention_id=VISIT,
        findings="joint usé",
        work_done="joint changé",
        photos=[photo.sha256 for photo in photos],
    )
    return await stage.when(what, by=world.karim)


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


@pytest.mark.parametrize("who", [world.karim, world.marie, world.alex], ids=lambda who: who.role)
async def test_its_technician_and_managers_add_photos(stage: Stage, who: Actor) -> None:
    await stage.given(visit("in_progress"))
    outcome = await add(stage, who, picture(1), picture(2))
    photos = [event.state for event in outcome.events if isinstance(event, VisitPhotoAdded)]
    assert [(photo.file, photo.by, photo.shown) for photo in photos] == [
        (picture(1), who.role, False),
        (picture(2), who.role, False),
    ]
    assert {photo.parent for photo in photos} == {VISIT}
    assert photos[0].timeline_roots() == {VISIT, RECLAMATION}
    assert [item["id"] for item in outcome.reply["items"]] == [str(photo.id) for photo in photos]


@pytest.mark.parametrize(
    ("who", "answer"),
    [(world.sofia, (404, "not_found")), (world.lea, (403, "not_allowed"))],
    ids=["another technician", "its client"],
)
async def test_others_add_none(stage: Stage, who: Actor, answer: tuple[int, str]) -> None:
    await stage.given(visit("in_progress"))
    assert refusal(await add(stage, who, picture())) == answer


@pytest.mark.parametrize("now", get_args(InterventionStatus))
async def test_photos_are_taken_of_a_visit_that_somebody_makes(stage: Stage, now: InterventionStatus) -> None:
    """Also before it has begun here: a phone that was away sends its photos first, then what was done meanwhile."""
    await stage.given(visit(now))
    outcome = await add(stage, world.karim, picture())
    if now in {"declined", "cancelled"}:
        assert refusal(outcome) == (409, "nothing_to_show")
    else:
        outcome.only(VisitPhotoAdded)


async def test_the_same_photo_is_there_once_however_often_it_is_sent(stage: Stage) -> None:
    await stage.given(visit("in_progress"), taken(1))
    outcome = await add(stage, world.karim, picture(2), picture(1), picture(2))
    added = outcome.only(VisitPhotoAdded).state
    assert [item["id"] for item in outcome.reply["items"]] == [str(added.id), str(UUID(int=601))]
    again = await add(stage, world.karim, picture(1))
    assert (again.problem, again.events) == (None, [])
    assert [item["id"] for item in again.reply["items"]] == [str(UUID(int=601))]


async def test_there_is_a_most(stage: Stage) -> None:
    await stage.given(visit("in_progress"), *(taken(number) for number in range(MAX_VISIT_PHOTOS - 1)))
    outcome = await add(stage, world.karim, picture(98), picture(99))
    assert refusal(outcome) == (409, "too_many_visit_photos")
    # One that is there already takes no room.
    assert (await add(stage, world.karim, picture(98), picture(0))).problem is None
    assert refusal(await add(stage, world.karim, picture(99))) == (409, "too_many_visit_photos")


async def test_a_report_names_photos_of_its_visit_in_an_order(stage: Stage) -> None:
    await stage.given(visit("completed"), taken(1), taken(2), taken(3))
    written = (await write(stage, picture(3), picture(1), picture(3))).only(ReportChanged).state
    assert written.photos == named(3, 1)
    fewer = (await write(stage, picture(1))).only(ReportChanged).state
    assert fewer.photos == named(1)


async def test_a_report_names_no_photo_of_another_visit(stage: Stage) -> None:
    other = UUID(int=201)
    await stage.given(visit("completed"), taken(1), taken(2, intervention_id=other))
    outcome = await write(stage, picture(1), picture(2))
    assert refusal(outcome) == (422, "invalid")
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or ()] == ["photos.1"]


async def test_a_report_names_only_so_many() -> None:
    hashes = [picture(number).sha256 for number in range(MAX_REPORT_PHOTOS + 1)]
    with pytest.raises(ValueError, match="photos"):
        WriteReport(intervention_id=VISIT, photos=hashes)


async def test_another_photo_takes_the_signature_away(stage: Stage) -> None:
    await stage.given(visit("completed"), report("sent_back", photos=named(1)), taken(1), taken(2))
    kept = (await write(stage, picture(1), picture(2))).only(ReportChanged).state
    assert (kept.photos, kept.signature) == (named(1, 2), None)


async def test_a_photo_that_comes_after_the_signature_is_not_in_the_report(stage: Stage) -> None:
    await stage.given(visit("completed"), report("draft", photos=named(1)), taken(1))
    signed = SignReport(intervention_id=VISIT, refused="elle est partie")
    assert (await stage.when(signed, by=world.karim)).only(ReportChanged).state.photos == named(1)
    assert {type(event) for event in (await add(stage, world.karim, picture(2))).events} == {VisitPhotoAdded}
    assert refusal(await write(stage, picture(1), picture(2))) == (409, "signed_already")


async def test_a_client_sees_the_photos_that_a_validated_report_names(stage: Stage) -> None:
    await stage.given(visit("completed"), report("submitted", photos=named(2, 1)))
    await stage.given(taken(1), taken(2), taken(3))
    validated, *shown, _ = (await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)).events
    assert isinstance(validated, ReportValidated)
    assert {type(event) for event in shown} == {VisitPhotoChanged}
    assert [event.state.id for event in shown] == [UUID(int=601), UUID(int=602)]
    assert all(event.state.for_client() == event.state for event in shown)


async def test_nobody_shows_a_photo_twice_or_that_is_not_named(stage: Stage) -> None:
    await stage.given(visit("completed", closed_at=NOW), report("submitted", photos=named(1)))
    await stage.given(taken(1, shown=True), taken(2))
    events = (await stage.when(ValidateReport(intervention_id=VISIT), by=world.marie)).events
    assert [type(event) for event in events] == [ReportValidated]


async def test_a_client_sees_no_photo_before(stage: Stage) -> None:
    await stage.given(visit("in_progress"))
    added = (await add(stage, world.karim, picture())).only(VisitPhotoAdded)
    assert added.state.for_client() is None
    assert added.for_client() is None
