"""What technicians can do and where, and whether they take visits: their account and managers decide it together."""

from itertools import permutations
from typing import Any

import pytest
import world
from given_interventions import RECLAMATION, VISIT, account, assigned, visit
from given_views import a

from sav_chassis.errors import WrongFields
from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Role
from sav_contracts.auth.account import RoleAssigned, UserActivated, UserDeactivated, UserUpdated
from sav_contracts.calendar.conflict import ConflictResolved, ConflictView
from sav_contracts.catalog.article import Family, Fuel
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.technician import (
    ChangeTechnician,
    Skill,
    TechnicianChanged,
    TechnicianLeft,
    TechnicianView,
    lacking,
    skills_for,
)
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    InterventionMoved,
    InterventionPlanned,
    MoveIntervention,
)
from sav_contracts.messages import Event
from sav_interventions.zones import check_zone

ACTIVATED = UserActivated(state=account())
DEACTIVATED = UserDeactivated(state=account(status="deactivated"), revoked=(world.karim.id,))
PROMOTED = RoleAssigned(
    state=account(role=Role.MANAGER),
    role=Role.MANAGER,
    previous=Role.TECHNICIAN,
    revoked=(world.karim.id,),
)


def changing(**fields: Any) -> ChangeTechnician:
    return ChangeTechnician(technician_id=world.karim.id, **fields)


async def changed(stage: Stage, **fields: Any) -> TechnicianView:
    return (await stage.when(changing(**fields), by=world.marie)).only(TechnicianChanged).state


def refusal(outcome: Outcome) -> str:
    assert outcome.problem
    assert outcome.events == []
    return outcome.problem.code


@pytest.mark.parametrize(
    ("family", "fuel", "needed"),
    [
        ("sanitary", None, ("sanitary",)),
        ("sanitary", "electric", ("sanitary", "electric")),
        ("heating", None, ("heating",)),
        ("heating", "gas", ("heating", "gas")),
        ("heating", "gas_hybrid", ("heating", "gas", "heat_pump")),
        ("part", "gas", ()),
    ],
)
def test_an_appliance_needs_its_trade_and_what_its_fuel_asks(
    family: Family, fuel: Fuel | None, needed: tuple[Skill, ...]
) -> None:
    assert skills_for(family, fuel) == needed


def test_who_declared_nothing_can_do_everything() -> None:
    assert lacking([], ["heating", "gas"]) == []
    assert lacking(["heating", "oil"], ["heating", "gas"]) == ["gas"]
    assert lacking(["gas", "heating"], []) == []


@pytest.mark.parametrize(
    ("zone", "postcode", "there"),
    [([], "69003", True), (["69"], "69003", True), (["01", "38"], "69003", False), (["2A"], "2A004", True)],
)
def test_a_zone_is_the_postcodes_that_begin_so(zone: list[str], postcode: str, there: bool) -> None:
    card = a(TechnicianView, zone=zone)
    assert card.works_at(Place(address="3 rue des Lilas", postcode=postcode, city="Lyon")) is there
    assert card.works_at(None)


async def test_a_manager_says_what_a_technician_can_do_and_where(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    card = await changed(stage, skills=["gas", "heating", "gas"], zone=["69", "01", "69", " 2a "])
    assert (card.skills, card.zone, card.active) == (["heating", "gas"], ["01", "2A", "69"], True)
    card = await changed(stage, zone=[])
    assert (card.skills, card.zone) == (["heating", "gas"], []), "what is not given stays"


async def test_a_zone_is_what_postcodes_begin_with(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    outcome = await stage.when(changing(zone=["69", "abc", "99", "13001"]), by=world.marie)
    assert outcome.problem
    assert [error.field for error in outcome.problem.errors or []] == ["zone.1", "zone.2"]
    assert "ABC" in (outcome.problem.errors or [])[0].message


@pytest.mark.parametrize(
    ("country", "good", "wrong"),
    [
        (
            "FR",
            ["0", "01", "6", "69", "69003", "2A", "2B", "20", "974", "98800", "90"],
            ["00", "96", "2C", "690031", "SW1"],
        ),
        ("TN", ["1", "10", "2080"], ["0", "20801", "2A"]),
        ("BE", ["SW1"], []),
    ],
)
def test_each_country_has_postcodes_of_its_own(country: str, good: list[str], wrong: list[str]) -> None:
    check_zone(good, country)
    for prefix in wrong:
        with pytest.raises(WrongFields):
            check_zone([prefix], country)


@pytest.mark.parametrize(
    ("department", "postcode", "there"),
    [("2A", "20000", True), ("2A", "20200", False), ("2B", "20600", True)],
)
def test_corsica_has_two_departments(department: str, postcode: str, there: bool) -> None:
    card = a(TechnicianView, zone=[department])
    assert card.works_at(Place(address="1 cours Napoléon", postcode=postcode, city="Ajaccio")) is there


async def test_nothing_and_no_value_are_no_change(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    for change, field in ((changing(), "body"), (changing(skills=None), "skills")):
        outcome = await stage.when(change, by=world.marie)
        assert outcome.problem
        assert [error.field for error in outcome.problem.errors or []] == [field]


async def test_who_is_set_inactive_has_left_once_and_comes_back(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    assert not (await stage.when(changing(active=False), by=world.marie)).only(TechnicianLeft).state.active
    assert not (await changed(stage, active=False)).active, "they had left already"
    assert not (await changed(stage, zone=["69"])).active, "another change is none of that"
    assert (await changed(stage, active=True)).active


async def test_an_account_that_is_no_active_technicians_cannot_be_set_active(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    (await stage.hears(DEACTIVATED)).only(TechnicianLeft)
    refused = await stage.when(changing(active=True), by=world.marie)
    assert refusal(refused) == "account_not_active"
    assert refused.problem
    assert "Karim" in refused.problem.detail


async def test_no_event_of_the_account_undoes_what_a_manager_set(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    await stage.when(changing(active=False, skills=["gas"], zone=["69"]), by=world.marie)
    renamed = account(name="Karim H.")
    out = account(name="Karim H.", status="deactivated")
    for event in (
        UserUpdated(state=renamed),
        UserDeactivated(state=out, revoked=(world.karim.id,)),
        UserActivated(state=renamed),
    ):
        card = (await stage.hears(event)).only(TechnicianChanged).state
        assert (card.active, card.skills, card.zone, card.name) == (False, ["gas"], ["69"], "Karim H.")
    assert (await changed(stage, active=True)).active


@pytest.mark.parametrize("order", list(permutations(["off", "on", "out", "in"])), ids=" ".join)
async def test_a_technician_takes_visits_while_account_and_managers_say_so(
    stage: Stage, order: tuple[str, ...]
) -> None:
    await stage.hears(ACTIVATED)
    account_active, set_inactive = True, False
    for step in order:
        before = account_active and not set_inactive
        if step in ("off", "on"):
            outcome = await stage.when(changing(active=step == "on"), by=world.marie)
            if step == "on" and not account_active:
                assert refusal(outcome) == "account_not_active"
            else:
                set_inactive = step == "off"
        else:
            outcome = await stage.hears(DEACTIVATED if step == "out" else ACTIVATED)
            account_active = step == "in"
        after = account_active and not set_inactive
        told = [type(event) for event in outcome.events]
        assert (TechnicianLeft in told) == (before and not after), step
        assert all(event.state.active == after for event in outcome.events), step


async def test_who_gets_another_role_has_left(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    (await stage.hears(PROMOTED)).only(TechnicianLeft)


@pytest.mark.parametrize("to", ["accepted", "en_route"])
async def test_nobody_sets_out_for_a_visit_of_who_takes_none_any_more(stage: Stage, to: Any) -> None:
    await stage.hears(ACTIVATED)
    await stage.when(changing(active=False), by=world.marie)
    await stage.given(visit("planned" if to == "accepted" else "accepted"))
    for who in (world.karim, world.marie):
        assert refusal(await stage.when(MoveIntervention(intervention_id=VISIT, to=to), by=who)) == (
            "technician_unavailable"
        )


async def test_a_visit_under_way_ends_all_the_same(stage: Stage) -> None:
    await stage.hears(ACTIVATED)
    await stage.given(visit("in_progress"))
    await stage.when(changing(active=False), by=world.marie)
    stopped = MoveIntervention(intervention_id=VISIT, to="incomplete", cause="other", reason="il est parti")
    told: list[Event] = (await stage.when(stopped, by=world.marie)).events
    assert [type(event) for event in told] == [InterventionMoved, InterventionPlanned]


async def test_a_visit_and_what_follows_it_need_what_the_reclamation_needs(stage: Stage) -> None:
    planned, _ = (await stage.hears(assigned(world.karim, skills_needed=("heating", "gas")))).events
    assert planned.state.skills_needed == ("heating", "gas")
    assert planned.state.reclamation_id == RECLAMATION
    follow_up = visit("no_access", skills_needed=("sanitary",)).follow_up(VISIT)
    assert follow_up.skills_needed == ("sanitary",)


def resolved(**fields: Any) -> ConflictResolved:
    """A manager gives Karim's visit to Sofia."""
    usual: dict[str, Any] = {"technician_id": world.karim.id, "intervention_id": VISIT, "status": "resolved"}
    conflict = a(ConflictView, **(usual | fields))
    return ConflictResolved(state=conflict, technician_id=world.sofia.id, slot=conflict.wanted)


ALONE: dict[str, Any] = {
    "reclamation_id": None,
    "reclamation_reference": None,
    "reference": "INT-2026-000001",
    "article": "Chaudière",
}


async def test_a_visit_without_a_reclamation_is_given_to_whom_a_manager_chose(stage: Stage) -> None:
    await stage.given(visit("accepted", purpose="maintenance", skills_needed=("heating",), **ALONE))
    told = resolved(reclamation_id=None, reclamation_reference=None)
    moved, planned = (await stage.hears(told)).events
    assert isinstance(moved, InterventionMoved)
    assert (moved.after, moved.reason) == ("cancelled", "reassigned")
    assert [(act.to, act.by_id) for act in moved.state.acts] == [("cancelled", None)]
    assert isinstance(planned, InterventionPlanned)
    theirs = planned.state
    assert (theirs.technician_id, theirs.status, theirs.purpose) == (world.sofia.id, "planned", "maintenance")
    assert (theirs.skills_needed, theirs.follows_id, planned.slot) == (("heating",), None, told.slot)
    assert (await stage.hears(told)).events == [], "once"


async def test_who_is_on_site_there_keeps_it(stage: Stage) -> None:
    await stage.given(visit("on_site", **ALONE))
    kept = (await stage.hears(resolved(reclamation_id=None, reclamation_reference=None))).only(
        AssignmentRefused
    )
    assert kept.refused_technician_id == world.sofia.id


async def test_the_visit_of_a_reclamation_follows_its_assignment(stage: Stage) -> None:
    await stage.given(visit("planned"))
    assert (await stage.hears(resolved(reclamation_id=RECLAMATION))).events == []
