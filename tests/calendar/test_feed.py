"""Secret addresses of calendars, and what stands in them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import world
from foreign import Reader
from given_calendar import (
    APPOINTMENT,
    VISIT_ID,
    appointment,
    at,
    chosen,
    elsewhere,
    moved,
    reclamation,
    technician,
    visit,
)
from given_views import a
from pydantic import SecretStr

from sav_calendar.feeds import KEPT_FOR
from sav_chassis.identity import Links
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.auth.account import AccountView, RoleAssigned, UserDeactivated
from sav_contracts.calendar.appointment import ReportNoShow
from sav_contracts.calendar.subscription import GetCalendarFeed, RotateCalendarAddress
from sav_contracts.calendar.visit_link import AnswerVisitByLink
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.visit import InterventionMoved, InterventionStatus, MadeMove

HOME = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")


async def address(stage: Stage, who: Actor, **fields: Any) -> SecretStr:
    """What is signed into the address that somebody gets."""
    made = await stage.when(RotateCalendarAddress(**fields), by=who)
    assert made.problem is None, made.problem
    assert made.events == [], "no event has a key in it"
    path, _, token = made.reply["url"].partition("?token=")
    assert path.endswith("/api/me/calendar.ics")
    return SecretStr(token)


async def feed(stage: Stage, token: SecretStr, known: str | None = None) -> dict[str, Any]:
    outcome = await stage.when(GetCalendarFeed(token=token, known=known))
    assert outcome.problem is None, outcome.problem
    return dict(outcome.reply)


async def events(stage: Stage, token: SecretStr, ical: Reader) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ical.read((await feed(stage, token))["text"])["events"]
    return found


async def test_a_client_reads_when_the_technician_arrives(stage: Stage, ical: Reader) -> None:
    await stage.knows(reclamation(place=HOME, article="Chaudière", version=3))
    await stage.knows(technician(world.karim, name="Émile Haddad", version=2))
    await stage.given(appointment(at(1, 8)))
    [event] = await events(stage, await address(stage, world.lea), ical)
    assert datetime.fromisoformat(event["start"]) == at(1, 8)
    assert datetime.fromisoformat(event["end"]) == at(1, 9)
    assert event["summary"] == "Visite d’Émile Haddad – Chaudière"
    assert event["location"] == "3 rue des Lilas, 69003 Lyon"
    assert "REC-2026-000100" in event["description"]
    assert (event["status"], event["sequence"]) == ("CONFIRMED", 0)
    [english] = await events(stage, await address(stage, world.lea, language="en"), ical)
    assert english["summary"] == "Visit of Émile Haddad – Chaudière"


async def test_a_technician_reads_when_they_work_and_no_names_of_clients(stage: Stage, ical: Reader) -> None:
    await stage.given(appointment(at(1, 8)), elsewhere(at(1, 13)))
    found = await events(stage, await address(stage, world.karim), ical)
    assert [datetime.fromisoformat(event["end"]) for event in found] == [at(1, 10), at(1, 15)]
    assert found[0]["summary"].startswith("REC-2026-000100")


@pytest.mark.parametrize("who", [world.marie, world.alex, world.paul], ids=lambda who: who.role)
async def test_whoever_has_no_visits_has_an_empty_calendar(stage: Stage, ical: Reader, who: Actor) -> None:
    await stage.given(appointment(at(1, 8)))
    assert await events(stage, await address(stage, who), ical) == []


async def test_a_feed_follows_what_happens_under_one_uid(stage: Stage, ical: Reader) -> None:
    token = await address(stage, world.lea)
    assert await events(stage, token, ical) == []
    booked = (await chosen(stage)).state
    [first] = await events(stage, token, ical)
    await stage.hears(moved("cancelled", id=VISIT_ID))
    [off] = await events(stage, token, ical)
    assert first["uid"] == off["uid"] == booked.uid
    assert (first["status"], off["status"]) == ("CONFIRMED", "CANCELLED")
    assert off["sequence"] > first["sequence"]
    assert await events(stage, await address(stage, world.lea), ical) == [], "they never saw it"


def done(after: InterventionStatus, came: datetime, ended: datetime, **fields: Any) -> InterventionMoved:
    moves: tuple[tuple[InterventionStatus, datetime], ...] = (
        ("en_route", came - timedelta(minutes=20)),
        ("on_site", came),
        (after, ended),
    )
    acts = [MadeMove(to=to, at=when, recorded_at=when) for to, when in moves]
    return moved(after, done_at=ended, acts=acts, **fields)


@pytest.mark.parametrize("after", ["completed", "incomplete"])
async def test_a_visit_that_was_done_early_stands_where_it_took_place(
    stage: Stage, ical: Reader, after: InterventionStatus
) -> None:
    await stage.given(appointment(at(2, 8), intervention_id=VISIT_ID))
    tokens = [await address(stage, who) for who in (world.lea, world.karim)]
    before = [event for token in tokens for event in await events(stage, token, ical)]
    came, ended = at(1, 14, 10), at(1, 15, 40)
    await stage.hears(done(after, came, ended))
    found = [event for token in tokens for event in await events(stage, token, ical)]
    for old, new in zip(before, found, strict=True):
        assert (datetime.fromisoformat(new["start"]), datetime.fromisoformat(new["end"])) == (came, ended)
        assert (new["status"], new["uid"]) == ("CONFIRMED", old["uid"])
        assert new["sequence"] > old["sequence"], "its time changed"
        assert "La visite a eu lieu." in new["description"]
        assert "pendant ce créneau" not in new["description"]
    [later] = await events(stage, await address(stage, world.lea), ical)
    assert datetime.fromisoformat(later["start"]) == came


async def test_all_moves_of_an_early_visit_may_be_made_at_once(stage: Stage, ical: Reader) -> None:
    await stage.given(appointment(at(2, 8), intervention_id=VISIT_ID))
    token = await address(stage, world.karim)
    await stage.hears(done("completed", at(1, 14), at(1, 14)))
    [event] = await events(stage, token, ical)
    assert datetime.fromisoformat(event["end"]) == at(1, 14, 1), (
        "no event ends where it begins (RFC 5545, 3.8.2.2)"
    )


@pytest.mark.parametrize("ended", [at(1, 9, 40), at(3, 18)], ids=["in its time", "entered days later"])
async def test_what_was_done_in_its_time_stays_there(stage: Stage, ical: Reader, ended: datetime) -> None:
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    token = await address(stage, world.karim)
    await stage.hears(done("completed", ended - timedelta(minutes=30), ended))
    [event] = await events(stage, token, ical)
    assert (datetime.fromisoformat(event["start"]), event["sequence"]) == (at(1, 8), 0)
    assert (event["status"], "La visite a eu lieu." in event["description"]) == ("CONFIRMED", True)


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=lambda who: who.role)
@pytest.mark.parametrize("missed_by", ["client", "technician"])
async def test_a_visit_that_did_not_take_place_is_cancelled_and_says_why(
    stage: Stage, ical: Reader, who: Actor, missed_by: str
) -> None:
    await stage.knows(visit())
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    token = await address(stage, who)
    if missed_by == "client":
        await stage.hears(moved("no_access", id=VISIT_ID))
    else:
        await stage.passes(at(1, 9, 30))
        assert (await stage.when(ReportNoShow(appointment_id=APPOINTMENT), by=world.marie)).problem is None
    [off] = await events(stage, token, ical)
    assert (off["status"], off["sequence"]) == ("CANCELLED", 1)
    said = "n’a pas pu entrer" if missed_by == "client" else "n’est pas venu"
    assert said in off["description"]
    assert await events(stage, await address(stage, who), ical) == [], "they never saw it"


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=lambda who: who.role)
async def test_a_cancelled_visit_says_that_it_is(stage: Stage, ical: Reader, who: Actor) -> None:
    await stage.knows(visit())
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID))
    token = await address(stage, who)
    await stage.hears(
        moved("no_access" if who is world.karim else "cancelled", id=VISIT_ID, updated_at=at(0, 8))
    )
    [off] = await events(stage, token, ical)
    assert off["status"] == "CANCELLED"
    assert "\n" in off["description"], "more than the reference"


async def test_a_time_that_was_only_held_is_in_no_calendar(stage: Stage, ical: Reader) -> None:
    token = await address(stage, world.lea)
    held = (await chosen(stage)).state
    await stage.hears(moved("cancelled", id=VISIT_ID))
    await stage.given(appointment(at(2, 8), status="held", id=UUID(int=399), uid="held"))
    assert [event["uid"] for event in await events(stage, token, ical)] == [held.uid]
    assert [event["uid"] for event in await events(stage, await address(stage, world.karim), ical)] == []


async def test_a_client_reads_a_time_as_booked_until_it_is_settled_who_comes(
    stage: Stage, ical: Reader
) -> None:
    await stage.given(appointment(at(1, 8), status="cancelled", reason="technician_left"))
    [client] = await events(stage, await address(stage, world.lea), ical)
    assert client["status"] == "CONFIRMED"
    assert await events(stage, await address(stage, world.karim), ical) == []


async def test_what_is_long_over_stands_in_no_feed(stage: Stage, ical: Reader) -> None:
    long_ago = datetime.now(UTC) - KEPT_FOR - timedelta(hours=3)
    await stage.given(
        appointment(long_ago, status="done"), elsewhere(at(1, 8) - timedelta(days=700), status="done")
    )
    assert len(await events(stage, await address(stage, world.karim), ical)) == 1


async def test_an_unchanged_feed_is_not_sent_again(stage: Stage) -> None:
    await stage.given(appointment(at(1, 8)))
    token = await address(stage, world.lea)
    first = await feed(stage, token)
    for known in (first["tag"], f"W/{first['tag']}", f'"other", {first["tag"]}', "*"):
        same = await feed(stage, token, known)
        assert (same["tag"], same["text"]) == (first["tag"], None)
    assert (await feed(stage, token, '"other"'))["text"] == first["text"]
    confirm = AnswerVisitByLink(token=_visit(stage), answer="confirm")
    assert (await stage.when(confirm)).problem is None
    later = await feed(stage, token, first["tag"])
    assert later["text"]
    assert later["tag"] != first["tag"]


def _visit(stage: Stage) -> SecretStr:
    return SecretStr(Links(stage.settings.link_secret).token("visit", APPOINTMENT))


async def test_another_address_ends_the_one_before(stage: Stage) -> None:
    old = await address(stage, world.lea)
    new = await address(stage, world.lea)
    assert (await feed(stage, new))["text"]
    refused = await stage.when(GetCalendarFeed(token=old))
    assert refused.problem
    assert (refused.problem.status, refused.problem.code) == (410, "link_expired")


async def test_a_visit_that_somebody_else_makes_leaves_the_feed_of_who_had_it(
    stage: Stage, ical: Reader
) -> None:
    await stage.given(appointment(at(1, 8)))
    karim, sofia = await address(stage, world.karim), await address(stage, world.sofia)
    assert len(await events(stage, karim, ical)) == 1
    await stage.database.pool.execute("UPDATE appointment SET technician_id = $1", world.sofia.id)
    await stage.when(AnswerVisitByLink(token=_visit(stage), answer="confirm"))
    assert await events(stage, karim, ical) == []
    assert len(await events(stage, sofia, ical)) == 1


@pytest.mark.parametrize("token", ["x", "é", "A" * 1000])
async def test_what_was_never_ours_opens_nothing(stage: Stage, token: str) -> None:
    await address(stage, world.lea)
    refused = await stage.when(GetCalendarFeed(token=SecretStr(token)))
    assert refused.problem
    assert refused.problem.status == 410


@pytest.mark.parametrize("event", [UserDeactivated, RoleAssigned])
async def test_the_address_of_somebody_who_leaves_ends(stage: Stage, event: Any) -> None:
    await stage.given(appointment(at(1, 8)))
    token, other = await address(stage, world.karim), await address(stage, world.lea)
    more = {"role": "manager", "previous": "technician"} if event is RoleAssigned else {}
    state = a(AccountView, world.karim.id, user_id=world.karim.id, role="technician", status="active")
    await stage.hears(event.model_validate({"state": state, "revoked": ()} | more))
    assert (await stage.when(GetCalendarFeed(token=token))).problem
    assert (await feed(stage, other))["text"]
    assert await stage.database.pool.fetchval("SELECT count(*) FROM feed_text") == 1


async def test_nothing_keeps_the_address(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    token = await address(stage, world.lea)
    await feed(stage, token)
    pool = stage.database.pool
    tables = await pool.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    rows = [await pool.fetch(f"SELECT t::text AS row FROM {table['name']} t") for table in tables]
    kept = "\n".join(row["row"] for table in rows for row in table) + "".join(capfd.readouterr())
    assert str(world.lea.id) in kept, "or this would find nothing anywhere"
    assert token.get_secret_value() not in kept


async def test_the_visit_for_no_reclamation_is_called_by_its_own_reference(
    stage: Stage, ical: Reader
) -> None:
    of_none: dict[str, Any] = {"reclamation_id": None, "reclamation_reference": None}
    await stage.knows(visit(reference="INT-2026-000001", article="Adoucisseur", place=HOME, **of_none))
    await stage.given(appointment(at(1, 8), intervention_id=VISIT_ID, **of_none))
    [event] = await events(stage, await address(stage, world.karim), ical)
    assert (event["summary"], event["location"]) == ("INT-2026-000001 – Adoucisseur", HOME.on_one_line)
