"""Photos of the problem, and of the work."""

from uuid import UUID

import pytest
import world
from given_claims import reclamation

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.claims.photo import MAX_PHOTOS, AddPhotos, PhotoAdded
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


async def test_what_is_over_takes_no_more(stage: Stage) -> None:
    await stage.given(reclamation(status="closed"))
    outcome = await add(stage, world.lea, picture())
    assert outcome.problem
    assert outcome.problem.code == "reclamation_over"


async def test_there_is_a_most(stage: Stage) -> None:
    await stage.given(reclamation())
    for start in range(0, MAX_PHOTOS - 2, 6):
        await add(stage, world.lea, *[picture(n) for n in range(start, start + 6)])
    outcome = await add(stage, world.lea, picture(98), picture(99), picture(100))
    assert outcome.problem
    assert (outcome.problem.code, outcome.events) == ("too_many_photos", [])
    assert (await add(stage, world.lea, picture(98), picture(99))).problem is None
