"""Who could take a réclamation, and why."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import world
from given_calendar import PARIS, RECLAMATION, at, elsewhere, hours, reclamation, technician, visit

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.calendar.absence import AddAbsence
from sav_contracts.calendar.candidates import Candidates, FindCandidates
from sav_contracts.catalog.product import Place

MANAGERS = pytest.mark.parametrize("who", [world.marie, world.alex], ids=lambda who: who.role)
ASKED = FindCandidates(reclamation_id=RECLAMATION)
LYON = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")
OMAR = Actor(id=UUID(int=13), role=Role.TECHNICIAN)


@pytest.fixture(autouse=True)
async def three(stage: Stage) -> None:
    """Karim works there, Sofia elsewhere, and Omar cannot do the work."""
    await stage.given(hours(world.sofia), hours(OMAR))
    await stage.knows(
        technician(world.karim, version=2, name="Karim", zone=["69"], skills=["heating", "gas"]),
        technician(world.sofia, name="Sofia", zone=["13"]),
        technician(OMAR, name="Omar", skills=["sanitary"]),
        reclamation(version=3, place=LYON, skills_needed=("heating", "gas")),
    )


def names(outcome: Outcome) -> list[str]:
    assert outcome.problem is None, outcome.problem
    assert outcome.events == []
    return [item["name"] for item in outcome.reply["items"]]


def said(outcome: Outcome, name: str, french: bool) -> list[str]:
    spoken = Candidates.model_validate(outcome.reply).spoken(french)
    [found] = [item for item in spoken.items if item.name == name]
    assert found.french is None
    return found.reasons


@MANAGERS
async def test_the_best_is_first(stage: Stage, who: Actor) -> None:
    outcome = await stage.when(ASKED, by=who)
    assert names(outcome) == ["Karim", "Sofia", "Omar"]
    karim, sofia, omar = outcome.reply["items"]
    assert (karim["lacks"], sofia["lacks"], omar["lacks"]) == ([], [], ["heating", "gas"])
    assert (karim["works_there"], sofia["works_there"], omar["works_there"]) == (True, False, True)
    assert karim["next_slot"]["technician_id"] == str(world.karim.id)
    assert omar["next_slot"] is None


async def test_the_reasons_are_said_in_the_readers_language(stage: Stage) -> None:
    await stage.passes(at(1, 7))
    outcome = await stage.when(ASKED, by=world.marie)
    begin = datetime.fromisoformat(outcome.reply["items"][0]["next_slot"]["start"])
    assert begin == at(1, 8)
    english, french = (said(outcome, "Karim", spoken) for spoken in (False, True))
    assert english[:3] == ["Can do the work", "Works there", "Open visits: 0; booked this week: 0 h"]
    assert french[:2] == ["Sait faire ce travail", "Intervient dans ce secteur"]
    assert english[3].endswith(" at 08:00")
    assert french[3].endswith(" à 8\N{NO-BREAK SPACE}h")
    assert said(outcome, "Sofia", french=False)[1] == "Works elsewhere: 13"
    assert said(outcome, "Omar", french=False)[0] == "Cannot do the work, which needs: heating, gas"
    assert len(said(outcome, "Omar", french=True)) == 3


async def test_load_counts_open_visits_and_the_hours_of_the_week(stage: Stage) -> None:
    noon = datetime.now(PARIS).replace(hour=12, minute=0, second=0, microsecond=0)
    monday = noon - timedelta(days=noon.weekday())
    await stage.given(
        elsewhere(monday.astimezone(UTC), end=monday + timedelta(minutes=150)),
        elsewhere(monday - timedelta(days=3), id=UUID(int=401), reclamation_id=UUID(int=501), uid="before"),
        elsewhere(monday + timedelta(hours=4), id=UUID(int=402), reclamation_id=UUID(int=502), uid="no", status="cancelled"),
    )  # fmt: skip
    await stage.knows(
        visit(), visit("completed", id=UUID(int=201)), visit(id=UUID(int=202), technician_id=world.sofia.id)
    )
    outcome = await stage.when(ASKED, by=world.marie)
    loads = {item["name"]: (item["open_visits"], item["booked_minutes"]) for item in outcome.reply["items"]}
    assert loads == {"Karim": (1, 150), "Sofia": (1, 0), "Omar": (0, 0)}
    assert said(outcome, "Karim", french=True)[2].endswith("2,5 h")


async def test_whoever_is_away_comes_later(stage: Stage) -> None:
    today = datetime.now(PARIS).date()
    away = {"technician_id": world.karim.id, "cause": "leave", "first_day": today}
    gone = AddAbsence.model_validate(away | {"last_day": today + timedelta(days=60)})
    await stage.when(gone, by=world.karim)
    assert names(await stage.when(ASKED, by=world.marie))[0] == "Sofia"
    outcome = await stage.when(ASKED, by=world.marie)
    assert said(outcome, "Karim", french=False)[3] == "Nothing free within 6 weeks"


async def test_whoever_takes_no_visits_is_no_candidate(stage: Stage) -> None:
    await stage.knows(technician(world.karim, version=3, active=False))
    assert names(await stage.when(ASKED, by=world.marie)) == ["Sofia", "Omar"]


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=lambda who: who.role)
async def test_only_managers_ask(stage: Stage, who: Actor) -> None:
    refused = (await stage.when(ASKED, by=who)).problem
    assert refused
    assert (refused.status, refused.code) == (403, "not_allowed")


async def test_a_reclamation_that_there_is_not_is_not_found(stage: Stage) -> None:
    outcome = await stage.when(FindCandidates(reclamation_id=UUID(int=999)), by=world.marie, seconds=1.5)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (404, "not_found")


async def test_without_a_place_everybody_may_be_near(stage: Stage) -> None:
    await stage.knows(reclamation(version=4, place=None))
    outcome = await stage.when(ASKED, by=world.marie)
    assert {item["works_there"] for item in outcome.reply["items"]} == {True}
    assert said(outcome, "Karim", french=False)[1] == "The place is not known"
