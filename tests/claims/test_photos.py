"""Photos of the problem, and of the work."""

from uuid import UUID

import pytest
import world
from given_claims import reclamation

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.catalog.warranty import NO_PRODUCT, Warranty
from sav_contracts.claims.photo import MAX_PHOTOS, AddPhotos, PhotoAdded
from sav_contracts.claims.reclamation import PhotosAdded, ReclamationMoved
from sav_contracts.files import StoredFile

RECLAMATION = UUID(int=100)


def picture(number: int = 0) -> StoredFile:
    return StoredFile(sha256=f"{number:064x}", media_type="image/jpeg", size=2000, name=f"fuite-{number}.jpg")


async def add(stage: Stage, by: Actor, *photos: StoredFile) -> Outcome:
    return await stage.when(AddPhotos(reclamation_id=RECLAMATION, photos=list(photos)), by=by)


@pytest.mark.parametrize("who", [world.lea, world.karim, world.marie, world.alex], ids=lambda who: who.role)
async def test_whoever_it_concerns_adds_photos(stage: Stage, who: Actor) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await add(stage, who, picture(1), picture(2))
    added = [event.state for event in outcome.events if isinstance(event, PhotoAdded)]
    assert [photo.file.name for photo in added] == ["fuite-1.jpg", "fuite-2.jpg"]
    assert {photo.by for photo in added} == {who.role}
    assert {photo.parent for photo in added} == {RECLAMATION}
    assert [item["id"] for item in outcome.reply["items"]] == [str(photo.id) for photo in added]


@pytest.mark.parametrize("who", [world.paul, world.sofia], ids=lambda who: who.role)
async def test_a_stranger_adds_none(stage: Stage, who: Actor) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await add(stage, who, picture())
    assert outcome.problem
    assert (outcome.problem.status, outcome.events) == (404, [])


@pytest.mark.parametrize(("decided", "back"), [(None, "submitted"), (NO_PRODUCT, "qualified")])
async def test_a_client_answers_with_photos_and_managers_are_told(
    stage: Stage, decided: Warranty | None, back: str
) -> None:
    await stage.given(reclamation(status="awaiting_client", warranty=decided, before_waiting=back))
    outcome = await add(stage, world.lea, picture(1), picture(2))
    [moved] = [event for event in outcome.events if isinstance(event, ReclamationMoved)]
    assert moved.after == back
    [told] = [event for event in outcome.events if isinstance(event, PhotosAdded)]
    assert (told.number, told.state.status) == (2, back)


@pytest.mark.parametrize("who", [world.karim, world.marie], ids=lambda who: who.role)
async def test_photos_of_staff_are_no_answer(stage: Stage, who: Actor) -> None:
    await stage.given(reclamation(status="awaiting_client", technician_id=world.karim.id))
    assert {type(event) for event in (await add(stage, who, picture(1))).events} == {PhotoAdded}


@pytest.mark.parametrize(("status", "told"), [("submitted", 0), ("qualified", 1), ("in_progress", 0)])
async def test_managers_are_told_of_photos_where_they_look_at_it(
    stage: Stage, status: str, told: int
) -> None:
    await stage.given(reclamation(status=status))
    events = (await add(stage, world.lea, picture(1), picture(2))).events
    assert len([event for event in events if isinstance(event, PhotosAdded)]) == told


async def test_what_is_over_takes_no_more(stage: Stage) -> None:
    await stage.given(reclamation(status="closed"))
    outcome = await add(stage, world.lea, picture())
    assert outcome.problem
    assert outcome.problem.code == "reclamation_over"


async def test_there_is_a_most(stage: Stage) -> None:
    await stage.given(reclamation())
    there = [picture(n) for n in range(MAX_PHOTOS - 2)]
    await add(stage, world.lea, *there[:6])
    await add(stage, world.lea, *there[6:])
    outcome = await add(stage, world.lea, picture(98), picture(99), picture(100))
    assert outcome.problem
    assert (outcome.problem.code, outcome.events) == ("too_many_photos", [])
    assert (await add(stage, world.lea, picture(98), picture(99))).problem is None


async def test_what_is_resolved_closes_later_when_its_client_sends_photos_and_managers_are_told(
    stage: Stage,
) -> None:
    await stage.given(reclamation(status="resolved", resolution="advice"))
    assert PhotosAdded in {type(event) for event in (await add(stage, world.lea, picture(1))).events}
    [closing] = [one for one in await stage.waiting() if "close_after_a_while" in one.function]
    assert closing.due > stage.now() + CutOffs().closes_after / 2
