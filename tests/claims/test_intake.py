"""What is taken down with a réclamation: its place, how it came, what it repeats; unfinished ones."""

from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import PRODUCT, client, product, reclamation
from given_views import a
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage
from sav_claims.lifecycle import lowering
from sav_contracts.actor import Actor
from sav_contracts.address import Address
from sav_contracts.auth.account import AccountView
from sav_contracts.auth.policy import CutOffs, PolicyView
from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.claims.draft import DropDraft, GetDraft, KeepDraft
from sav_contracts.claims.problems import PROBLEMS, problem_types
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    Priority,
    ReclamationCreated,
    ReclamationView,
    Safety,
)

PLACE: dict[str, Any] = {"address": "3 rue des Lilas", "postcode": "69003", "city": "Lyon"}
OTHER = UUID(int=101)


def opening(**fields: Any) -> OpenReclamation:
    usual: dict[str, Any] = {"problem_type": "other", "description": "elle siffle"}
    if "product_id" not in fields:
        usual |= {"article": "Chaudière", "place": PLACE}
    return OpenReclamation.model_validate(
        {name: value for name, value in (usual | fields).items() if value is not None}
    )


async def opened(stage: Stage, by: Actor = world.lea, **fields: Any) -> ReclamationView:
    return (await stage.when(opening(**fields), by=by)).only(ReclamationCreated).state


def refused(outcome: Outcome) -> tuple[int, list[str]]:
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem.status, [error.field for error in outcome.problem.errors or []]


def wrong(**fields: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        opening(**fields)
    [error] = raised.value.errors()
    return str(error["type"])


def test_a_product_or_an_article_in_words_but_not_both() -> None:
    assert wrong(product_id=PRODUCT, article="Chaudière") == "broken_twice"
    assert wrong(article=None, place=None) == "nothing_broken"
    assert wrong(product_id=PRODUCT, place=PLACE) == "place_known"


async def test_the_place_is_the_products(stage: Stage) -> None:
    known = product(world.lea)
    await stage.knows(known)
    assert (await opened(stage, product_id=PRODUCT)).place == known.place


async def test_an_article_in_words_has_the_place_that_is_given(stage: Stage) -> None:
    place = (await opened(stage, place=PLACE | {"access_notes": "Code 42B"})).place
    assert place
    assert (place.city, place.access_notes) == ("Lyon", "Code 42B")


async def test_without_a_place_the_only_address_of_the_profile_is_taken(stage: Stage) -> None:
    assert refused(await stage.when(opening(place=None), by=world.lea)) == (422, ["place"])
    home, work = Address(address="1 rue Haute", postcode="75001", city="Paris"), Address.model_validate(PLACE)
    for who, addresses, status in (
        (world.paul, (home,), None),
        (Actor(id=UUID(int=3), role=world.lea.role), (home, work), 422),
    ):
        profile = client(who)
        profile.addresses = addresses
        await stage.given(profile)
        outcome = await stage.when(opening(place=None), by=who)
        assert (outcome.problem and outcome.problem.status) == status
        if status is None:
            assert outcome.only(ReclamationCreated).state.place
            assert outcome.reply["place"]["address"] == "1 rue Haute"


async def test_staff_read_how_it_came_and_who_wrote_it_down(stage: Stage) -> None:
    theirs = await opened(stage)
    assert (theirs.channel, theirs.opened_by) == ("site", world.lea.id)
    ours = await opened(stage, world.marie, client_id=world.lea.id, channel="counter")
    assert (ours.channel, ours.opened_by, ours.client_id) == ("counter", world.marie.id, world.lea.id)
    assert (await opened(stage, world.alex, client_id=world.lea.id)).channel == "phone"
    assert refused(await stage.when(opening(channel="phone"), by=world.lea)) == (422, ["channel"])
    reply = (await stage.when(opening(), by=world.lea)).reply
    assert not {"channel", "opened_by", "unanswered", "repeat_of", "earlier_visit_id"} & reply.keys()


async def test_a_technician_opens_none(stage: Stage) -> None:
    outcome = await stage.when(opening(client_id=world.lea.id), by=world.karim)
    assert outcome.problem
    assert (outcome.problem.status, outcome.events) == (403, [])


@pytest.mark.parametrize("status", ["deactivated", "closed"])
async def test_nothing_is_opened_for_a_client_who_is_gone(stage: Stage, status: str) -> None:
    await stage.knows(a(AccountView, world.lea.id, user_id=world.lea.id, role="client", status=status))
    outcome = await stage.when(opening(client_id=world.lea.id), by=world.marie)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code) == (409, "client_gone")


async def test_the_client_says_when_a_visit_would_suit(stage: Stage) -> None:
    day = (datetime.now(UTC) + timedelta(days=9)).date()
    times = [{"weekday": "tue", "part": "morning"}, {"on": str(day)}]
    told = (await opened(stage, preferred_times=times)).preferred_times
    assert [(time.weekday, time.on, time.part) for time in told] == [
        ("tue", None, "morning"),
        (None, day, None),
    ]
    past = [{"on": "2020-01-01"}]
    assert refused(await stage.when(opening(preferred_times=past), by=world.lea)) == (
        422,
        ["preferred_times"],
    )
    wrong_ones: list[list[dict[str, str]]] = [[{}], [{"weekday": "tue", "on": str(day)}]]
    for wrong_one in wrong_ones:
        with pytest.raises(ValidationError):
            opening(preferred_times=wrong_one)
    with pytest.raises(ValidationError):
        opening(preferred_times=[{"weekday": "tue"}] * 11)


async def test_a_type_that_the_family_does_not_have_is_refused(stage: Stage) -> None:
    await stage.knows(product(world.lea, family="sanitary"))
    outcome = await stage.when(opening(product_id=PRODUCT, problem_type="no_heating"), by=world.lea)
    assert refused(outcome) == (422, ["problem_type"])
    assert outcome.problem
    assert "«\N{NO-BREAK SPACE}Fuite\N{NO-BREAK SPACE}» (leak), " in outcome.problem.in_french().detail
    assert (await opened(stage, product_id=PRODUCT, problem_type="leak")).problem_type == "leak"


@pytest.mark.parametrize(
    ("safety", "missing"),
    [
        (None, ("gas_smell", "co_alarm")),
        ({"gas_smell": False}, ("co_alarm",)),
        ({"gas_smell": False, "co_alarm": False}, ()),
    ],
)
async def test_staff_see_which_safety_questions_were_not_answered(
    stage: Stage, safety: dict[str, bool] | None, missing: tuple[str, ...]
) -> None:
    assert (await opened(stage, problem_type="no_heating", safety=safety)).unanswered == missing


def test_every_type_of_every_family_has_its_words_and_questions() -> None:
    shown = {family.family: family.types for family in problem_types().items}
    assert {family: [each.problem_type for each in types] for family, types in shown.items()} == {
        family: list(types) for family, types in PROBLEMS.items()
    }
    assert "no_heating" not in PROBLEMS["sanitary"]
    everywhere = {question.name for types in shown.values() for each in types for question in each.questions}
    assert everywhere == set(Safety.model_fields)


async def test_danger_is_answered_with_what_to_do(stage: Stage) -> None:
    safety = {"gas_smell": True, "flooding": True}
    reply = (await stage.when(opening(safety=safety), by=world.lea)).reply
    assert [each["danger"] for each in reply["instructions"]] == ["gas_smell", "flooding"]
    said = dumps(reply["instructions"], ensure_ascii=False).replace("\u00a0", " ")
    assert "0 800 47 33 33" in said
    assert "Faites sortir tout le monde." in said
    tunis = await stage.when(
        opening(safety=safety, place=PLACE | {"postcode": "1000", "country": "TN"}), by=world.lea
    )
    said = dumps(tunis.reply["instructions"], ensure_ascii=False).replace("\u00a0", " ")
    assert ("198" in said, "0 800 47 33 33" in said) == (True, False)
    assert (await stage.when(opening(), by=world.lea)).reply["instructions"] == []


@pytest.mark.parametrize(
    ("danger", "before", "after", "lowers"),
    [
        (True, "critical", "high", True),
        (True, "high", "low", True),
        (True, "low", "critical", False),
        (True, "high", "high", False),
        (False, "critical", "low", False),
    ],
)
def test_what_is_dangerous_is_lowered_knowingly(
    danger: bool, before: Priority, after: Priority, lowers: bool
) -> None:
    given = reclamation(priority=before, safety=Safety(co_alarm=danger))
    assert lowering(given, after) is lowers


async def test_open_ones_about_the_same_product_are_named(stage: Stage) -> None:
    await stage.knows(product(world.lea))
    first = await opened(stage, product_id=PRODUCT)
    assert first.possible_duplicates == ()
    second = await stage.when(opening(product_id=PRODUCT), by=world.lea)
    assert second.reply["possible_duplicates"] == [{"id": str(first.id), "reference": first.reference}]
    in_words = await opened(stage)
    assert in_words.possible_duplicates == ()


@pytest.mark.parametrize("status", ["closed", "cancelled", "rejected", "merged", "resolved"])
async def test_what_is_over_is_no_duplicate(stage: Stage, status: str) -> None:
    await stage.knows(product(world.lea))
    await stage.given(reclamation(product_id=PRODUCT, status=status))
    assert (await opened(stage, product_id=PRODUCT)).possible_duplicates == ()


async def test_those_of_another_client_are_not_named(stage: Stage) -> None:
    await stage.knows(product(world.lea))
    stranger = {"client_id": world.paul.id, "product_id": PRODUCT, "resolved_at": stage.now()}
    await stage.given(client(world.paul), reclamation(**stranger))
    await stage.given(
        reclamation(**stranger | {"id": OTHER, "reference": "REC-2026-000101", "status": "closed"})
    )
    state = await opened(stage, product_id=PRODUCT)
    assert (state.possible_duplicates, state.repeat_of) == ((), None)


@pytest.mark.parametrize(("days", "repeats"), [(0, True), (89, True), (91, False)])
async def test_a_fault_that_comes_back_names_the_earlier_one_and_its_visit(
    stage: Stage, days: int, repeats: bool
) -> None:
    await stage.knows(product(world.lea))
    visit = UUID(int=200)
    resolved = stage.now() - timedelta(days=days)
    await stage.given(reclamation(product_id=PRODUCT, status="closed", resolved_at=resolved, visit_id=visit))
    state = await opened(stage, product_id=PRODUCT)
    earlier = (UUID(int=100), visit) if repeats else (None, None)
    assert (state.repeat_of, state.earlier_visit_id) == earlier


async def test_admins_say_how_long_a_fault_counts_as_repeated(stage: Stage) -> None:
    await stage.knows(
        product(world.lea), a(PolicyView, CutOffs.id(), name="cut_offs", value={"repeat_within_days": 5})
    )
    await stage.given(
        reclamation(product_id=PRODUCT, status="closed", resolved_at=stage.now() - timedelta(days=6))
    )
    assert (await opened(stage, product_id=PRODUCT)).repeat_of is None


async def test_an_unfinished_one_is_kept_and_read_by_its_author_alone(stage: Stage) -> None:
    kept = await stage.when(KeepDraft(article="Chaudière", description="elle"), by=world.lea)
    assert (kept.events, kept.problem) == ([], None)
    await stage.when(KeepDraft(article="Chaudière", place=PlaceGiven.model_validate(PLACE)), by=world.lea)
    read = await stage.when(GetDraft(), by=world.lea)
    assert (read.reply["article"], read.reply["description"], read.reply["place"]["city"]) == (
        "Chaudière",
        None,
        "Lyon",
    )
    other = await stage.when(GetDraft(), by=world.marie)
    assert other.problem
    assert other.problem.status == 404


async def test_a_draft_is_checked_as_far_as_it_goes(stage: Stage) -> None:
    await stage.knows(product(world.lea, family="sanitary"))
    await stage.given(client(world.paul))
    wrong_type = KeepDraft(product_id=PRODUCT, problem_type="no_heating")
    assert refused(await stage.when(wrong_type, by=world.lea)) == (422, ["problem_type"])
    for_another = KeepDraft(client_id=world.paul.id, product_id=PRODUCT)
    assert refused(await stage.when(for_another, by=world.marie)) == (422, ["product_id"])
    not_theirs = await stage.when(KeepDraft(client_id=world.paul.id), by=world.lea)
    assert not_theirs.problem
    assert not_theirs.problem.status == 404


async def test_a_draft_ends_as_it_is_opened_dropped_or_left(stage: Stage) -> None:
    draft = KeepDraft(article="Chaudière")
    await stage.when(draft, by=world.lea)
    await stage.when(draft, by=world.marie)
    await opened(stage)
    assert (await stage.when(GetDraft(), by=world.lea)).problem
    assert (await stage.when(GetDraft(), by=world.marie)).problem is None

    assert (await stage.when(DropDraft(), by=world.marie)).problem is None
    assert (await stage.when(DropDraft(), by=world.marie)).problem is None
    assert (await stage.when(GetDraft(), by=world.marie)).problem

    await stage.when(draft, by=world.lea)
    await stage.passes(timedelta(days=29))
    await stage.when(draft, by=world.lea)
    await stage.passes(timedelta(days=29))
    assert (await stage.when(GetDraft(), by=world.lea)).problem is None
    await stage.passes(timedelta(days=2))
    assert (await stage.when(GetDraft(), by=world.lea)).problem


async def test_a_draft_keeps_which_questions_were_answered(stage: Stage) -> None:
    draft = KeepDraft.model_validate({"safety": {"co_alarm": False}})
    await stage.when(draft, by=world.lea)
    kept = (await stage.when(GetDraft(), by=world.lea)).reply["safety"]
    assert kept == {"gas_smell": None, "co_alarm": False, "flooding": None}
