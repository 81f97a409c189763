"""Admins decide while everything runs."""

from typing import Any

import pytest
import world

from sav_auth.starting import announce
from sav_chassis.envelope import Context
from sav_chassis.testing import Stage
from sav_chassis.tx import transaction
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.policy import (
    POLICIES,
    Buffers,
    ChangePolicy,
    Cors,
    CutOffs,
    Policy,
    PolicyChanged,
    PolicyName,
    PolicySet,
    RateLimits,
    SlaTargets,
)


@pytest.fixture
async def stage(stage: Stage) -> Stage:
    await starts(stage)
    return stage


async def starts(stage: Stage) -> None:
    """What auth does before it answers."""
    context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=world.alex.id)
    async with transaction(stage.database, stage.settings, context, lambda _: None) as tx:
        await announce(tx)


async def in_force(stage: Stage, policy: type[Policy]) -> Policy:
    """As a service finds it that has heard of everything."""
    context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=world.alex.id)
    async with transaction(stage.database, stage.settings, context, lambda _: None) as tx:
        return await tx.policy(policy)


async def test_policies_are_told_as_they_come_once(stage: Stage) -> None:
    await starts(stage)
    told = [event for event in await stage._since(0) if type(event) is PolicyChanged]
    assert {event.state.name for event in told} == POLICIES.keys()
    assert len(told) == len(POLICIES)
    for event in told:
        policy = POLICIES[event.state.name]
        assert event.state.id == policy.id()
        assert event.state.in_force(policy) == policy()
        assert event.state.changed_by is None


async def test_what_an_admin_sets_is_told_with_what_it_was(stage: Stage) -> None:
    command = ChangePolicy(name="buffers", value={"travel_minutes": 45})
    told = (await stage.when(command, by=world.alex)).only(PolicySet)
    assert (told.were, told.now) == ({"travel_minutes": 30}, {"travel_minutes": 45})
    whole = Buffers(travel_minutes=45).model_dump()
    assert (told.state.value, told.state.changed_by) == (whole, world.alex.id)


async def test_what_is_left_out_gets_its_default_again(stage: Stage) -> None:
    changed = {"closes_after_days": 9, "feedback_days": 20}
    await stage.when(ChangePolicy(name="cut_offs", value=changed), by=world.alex)
    told = (await stage.when(ChangePolicy(name="cut_offs", value={"feedback_days": 20}), by=world.alex)).only(
        PolicySet
    )
    assert (told.were, told.now) == ({"closes_after_days": 9}, {"closes_after_days": 7})


async def test_the_same_again_changes_nothing(stage: Stage) -> None:
    outcome = await stage.when(ChangePolicy(name="buffers", value={"travel_minutes": 30}), by=world.alex)
    assert (outcome.problem, outcome.events) == (None, [])


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://localhost:05173", "http://localhost:5173"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://\U0001f4a9.example", "https://xn--ls8h.example"),
        ("https://xn--ls8h.example", "https://xn--ls8h.example"),
        ("https://i\u2764\ufe0f.example", "https://xn--i-7iq.example"),
        ("https://\U0001f44d\U0001f3fd.example", "https://xn--on8h5e.example"),
        ("https://xn--bcher-kva.example:8443", "https://xn--bcher-kva.example:8443"),
        ("https://ｓhop．example", "https://shop.example"),
        ("https://shop\u200b.ex\u00adample", "https://shop.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[0:0::1]:8080", "http://[::1]:8080"),
    ],
)
async def test_an_origin_is_kept_as_browsers_send_it(stage: Stage, given: str, stored: str) -> None:
    command = ChangePolicy(name="cors", value={"origins": [given]})
    assert (await stage.when(command, by=world.alex)).only(PolicySet).now == {"origins": [stored]}


@pytest.mark.parametrize(
    "given",
    [
        "https://",
        "https://-",
        "https://-a.example",
        "https://a-",
        "https://*.shop.example",
        "https://*",
        "*.",
        "*",
        "https://shop.example:",
        "https://shop.example:0",
        "https://shop.example:65536",
        "https://shop.example:x",
        "https://shop.example:４４３",
        "https://shop.example：443",
        "https：//shop.example",
        "https://:443",
        "https://shop..example",
        "https://.",
        "https://1",
        "https://127.1",
        "https://256.0.0.1",
        "https://[::g]",
        "https://shop.example\n",
        " https://shop.example",
        "https://a\u200d.example",
        "https://xn--.example",
        # Joined, spelled as no browser does, with what no host has beside an emoji.
        "https://\U0001f468\u200d\U0001f469.example",
        "https://xn--LS8H.example",
        "https://xn--ls8h-.example",
        "https://-\U0001f4a9.example",
        "https://\U0001f4a9`.example",
        "ftp://shop.example",
        "null",
        "https://me@shop.example",
        "https://shop.example\\",
        "https://a%2e.example",
        f"https://{'a' * 64}.example",
    ],
)
async def test_what_no_browser_sends_as_an_origin_is_refused(stage: Stage, given: str) -> None:
    outcome = await stage.when(ChangePolicy(name="cors", value={"origins": [given]}), by=world.alex)
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["value.origins.0"]


async def test_a_stored_origin_that_is_refused_today_takes_none_of_the_others_away(stage: Stage) -> None:
    command = ChangePolicy(name="cors", value={"origins": ["https://shop.example"]})
    told = (await stage.when(command, by=world.alex)).only(PolicySet)
    old = {"origins": ["https://*.a", "https://shop.example:443", "https://shop.example"]}
    found = told.state.model_copy(update={"value": old}).in_force(Cors)
    assert found.origins == ("https://*.a", "https://shop.example", "https://shop.example")


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("buffers", {"travel_minutes": -1, "tea": 5}, ["value.travel_minutes", "value.tea"]),
        ("rate_limits", {"client": {"reads": 0, "writes": 1, "uploads": 1}}, ["value.client.reads"]),
        ("rate_limits", {"client": {"reads": 5}}, ["value.client.writes", "value.client.uploads"]),
        ("cors", {"origins": ["https://shop.example/", "*"]}, ["value.origins.0", "value.origins.1"]),
        ("cors", {"origins": ["https://Shop.example"]}, ["value.origins.0"]),
        ("dunning", {"reminder_days": ["1_0", True]}, ["value.reminder_days.0", "value.reminder_days.1"]),
        ("cut_offs", {"reopens_days": "1_0"}, ["value.reopens_days"]),
        (
            "sla_targets",
            {
                "high": {"respond_minutes": 61, "resolve_minutes": 60},
                "low": {"respond_minutes": 60, "resolve_minutes": 60},
            },
            ["value.high.respond_minutes"],
        ),
    ],
)
async def test_what_no_policy_can_say_is_refused_by_field(
    stage: Stage, name: PolicyName, value: dict[str, Any], wrong: list[str]
) -> None:
    outcome = await stage.when(ChangePolicy(name=name, value=value), by=world.alex)
    assert outcome.problem
    assert outcome.problem.status == 422
    assert [error.field for error in outcome.problem.errors or []] == wrong
    assert outcome.events == []


@pytest.mark.parametrize("who", [world.lea, world.karim, world.marie], ids=lambda who: who.role)
async def test_only_an_admin_sets_policies(stage: Stage, who: Any) -> None:
    outcome = await stage.when(ChangePolicy(name="buffers", value={}), by=who)
    assert outcome.problem
    assert outcome.problem.status == 403


async def test_a_service_follows_the_news_and_starts_with_the_defaults(stage: Stage) -> None:
    assert await in_force(stage, Buffers) == Buffers()
    changed = await stage.when(ChangePolicy(name="buffers", value={"travel_minutes": 45}), by=world.alex)
    await stage.projects(*changed.events)
    assert await in_force(stage, Buffers) == Buffers(travel_minutes=45)
    assert await in_force(stage, CutOffs) == CutOffs()


async def test_what_a_later_release_wrote_is_read_as_far_as_it_is_known(stage: Stage) -> None:
    told = [event.state for event in await stage._since(0) if type(event) is PolicyChanged]
    [view] = (view for view in told if view.name == "rate_limits")
    known = RateLimits().model_dump()
    known["client"] |= {"downloads": 3}
    later = view.model_copy(update={"value": known | {"robots": 1}})
    assert later.in_force(RateLimits) == RateLimits()


async def test_a_stored_target_that_responds_later_than_it_resolves_is_read_as_it_stands(
    stage: Stage,
) -> None:
    late = {"respond_minutes": 90, "resolve_minutes": 60}
    told = (
        await stage.when(ChangePolicy(name="sla_targets", value={"legal_warning_days": 3}), by=world.alex)
    ).only(PolicySet)
    stored = told.state.model_copy(update={"value": told.state.value | {"high": late}})
    found = stored.in_force(SlaTargets)
    assert (found.high.model_dump(), found.legal_warning_days, found.low) == (late, 3, SlaTargets().low)


async def test_what_todays_bounds_refuse_is_as_it_comes_and_said_once(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    told = (await stage.when(ChangePolicy(name="buffers", value={"travel_minutes": 45}), by=world.alex)).only(
        PolicySet
    )
    too_long = told.state.model_copy(update={"version": 9, "value": {"travel_minutes": 100_000}})
    await stage.projects(told.model_copy(update={"state": too_long}))
    for _ in range(2):
        assert await in_force(stage, Buffers) == Buffers()
    assert [line for line in caplog.messages if "policy" in line] == [
        "policy buffers has its defaults: its version 9 is refused: "
        "travel_minutes: Input should be less than or equal to 480"
    ]
