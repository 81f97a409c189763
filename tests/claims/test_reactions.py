"""What claims does about news from accounts and visits."""

from typing import Any
from uuid import UUID

import given_claims
import world
from given_claims import reclamation
from given_views import a

from sav_chassis.testing import Stage, enveloped
from sav_contracts.actor import Actor, Role
from sav_contracts.address import Address
from sav_contracts.auth.account import AccountView, ClientAdded, UserRegistered, UserUpdated
from sav_contracts.catalog.product import PlaceGiven
from sav_contracts.claims.client import ClientChanged, ClientCreated
from sav_contracts.claims.reclamation import (
    OpenReclamation,
    ReclamationMoved,
    TechnicianAssigned,
    TechnicianUnassigned,
)
from sav_contracts.interventions.visit import (
    AssignmentRefused,
    InterventionMoved,
    InterventionStarted,
    InterventionStatus,
    InterventionView,
)

VISIT = UUID(int=200)
RECLAMATION = UUID(int=100)


def registered(who: Actor, role: Role = Role.CLIENT) -> UserRegistered:
    paul: dict[str, Any] = {
        "user_id": who.id,
        "email": "paul@example.com",
        "name": "Paul",
        "role": role,
        "locale": "en",
    }
    return UserRegistered(state=a(AccountView, who.id, **paul))


def visit(who: Actor, status: InterventionStatus, **fields: Any) -> InterventionView:
    return given_claims.visit(version=5, technician_id=who.id, status=status, **fields)


def declined(who: Actor) -> InterventionMoved:
    return InterventionMoved(state=visit(who, "declined"), before="planned", after="declined", reason="ill")


PLACE = PlaceGiven(address="3 rue des Lilas", postcode="69003", city="Lyon")


async def test_a_client_account_gets_a_profile_with_the_same_id(stage: Stage) -> None:
    outcome = await stage.hears(registered(world.paul))
    profile = outcome.only(ClientCreated).state
    assert (profile.id, profile.client_id, profile.name) == (world.paul.id, world.paul.id, "Paul")


async def test_a_staff_account_gets_no_profile(stage: Stage) -> None:
    assert (await stage.hears(registered(world.marie, Role.MANAGER))).events == []


async def test_the_same_registration_twice_makes_one_profile(stage: Stage) -> None:
    told = enveloped(registered(world.paul))
    assert len((await stage.hears(told)).events) == 1
    assert (await stage.hears(told)).events == []
    # Told again under another id, as after a restored backup.
    assert (await stage.hears(registered(world.paul))).events == []


async def test_a_client_whom_staff_made_has_a_profile_with_what_they_know(stage: Stage) -> None:
    account = registered(world.paul).state.model_copy(update={"email": "", "status": "invited"})
    home = Address(address="3 rue des Lilas", postcode="69003", city="Lyon")
    told = ClientAdded(state=account, phones=("+33612345678",), addresses=(home,))
    profile = (await stage.hears(told)).only(ClientCreated).state
    assert (profile.id, profile.email, profile.phones) == (world.paul.id, "", ("+33612345678",))
    assert profile.addresses == (home,)
    assert (await stage.hears(told)).events == [], "told again, as after a restored backup"


async def test_a_profile_follows_the_address_that_its_client_signs_in_with(stage: Stage) -> None:
    told = registered(world.paul)
    await stage.hears(told)
    state = told.state.model_copy(update={"email": "paul.smith@example.com"})
    moved = UserUpdated(state=state, previous_email="paul@example.com")
    assert (await stage.hears(moved)).only(ClientChanged).state.email == "paul.smith@example.com"
    assert (await stage.hears(moved)).events == [], "it is another one by now"
    assert (await stage.hears(UserUpdated(state=state))).events == []


async def test_news_from_before_addresses_had_one_form_are_followed_in_it(stage: Stage) -> None:
    old = registered(world.paul).state.model_copy(update={"email": "max@straße.example"})
    told = ClientAdded(state=old, phones=("+33 6 12 34 56 78", "+999999999"))
    profile = (await stage.hears(told)).only(ClientCreated).state
    assert (profile.email, profile.phones) == (
        "max@xn--strae-oqa.example",
        ("+33612345678", "+999999999"),
    )
    state = old.model_copy(update={"email": "paul@faß.example"})
    moved = UserUpdated(state=state, previous_email="max@straße.example")
    assert (await stage.hears(moved)).only(ClientChanged).state.email == "paul@xn--fa-hia.example"


async def test_a_profile_without_an_address_gets_the_first_one(stage: Stage) -> None:
    nowhere = registered(world.paul).state.model_copy(update={"email": "", "status": "invited"})
    await stage.hears(ClientAdded(state=nowhere))
    given = UserUpdated(state=registered(world.paul).state, previous_email="")
    assert (await stage.hears(given)).only(ClientChanged).state.email == "paul@example.com"


async def test_where_staff_sign_in_is_no_matter_of_profiles(stage: Stage) -> None:
    moved = UserUpdated(state=registered(world.marie, Role.MANAGER).state, previous_email="m@example.com")
    assert (await stage.hears(moved)).events == []
    assert await stage.parked() == []


async def test_a_reclamation_waits_for_the_profile_of_its_own_client(stage: Stage) -> None:
    opening = OpenReclamation(article="Mitigeur", place=PLACE, problem_type="noise", description="il siffle")
    early = await stage.when(opening, by=world.paul, seconds=0.3)
    assert early.problem
    assert (early.problem.status, early.problem.code) == (503, "not_yet_known")

    await stage.hears(registered(world.paul))
    assert (await stage.when(opening, by=world.paul)).problem is None


async def test_the_reclamation_is_in_progress_when_its_technician_starts(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await stage.hears(InterventionStarted(state=visit(world.karim, "in_progress")))
    moved = outcome.only(ReclamationMoved)
    assert (moved.before, moved.after, moved.state.status) == ("assigned", "in_progress", "in_progress")


async def test_a_start_by_a_former_technician_is_obsolete(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id))
    told = enveloped(InterventionStarted(state=visit(world.karim, "in_progress")))
    assert (await stage.hears(told)).events == []
    assert "obsolete" in (await stage.outcome_of(told) or "")
    assert await stage.parked() == []


async def test_a_start_before_the_reclamation_is_known_waits(stage: Stage) -> None:
    assert (await stage.hears(InterventionStarted(state=visit(world.karim, "in_progress")))).events == []
    [(_, why)] = await stage.parked()
    assert "NotYet" in why


async def test_a_decline_sends_the_reclamation_back_to_be_assigned(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    unassigned = (await stage.hears(declined(world.karim))).only(TechnicianUnassigned)
    assert unassigned.technician_id == world.karim.id
    assert '"ill"' not in unassigned.model_dump_json(), "why is not told"
    assert (unassigned.state.status, unassigned.state.technician_id) == ("qualified", None)


async def test_a_decline_by_a_former_technician_is_obsolete(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id, assignment=1))
    assert (await stage.hears(declined(world.karim))).events == []


async def test_a_decline_of_an_earlier_assignment_to_the_same_technician_is_obsolete(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=2))
    assert (await stage.hears(declined(world.karim))).events == []


async def test_a_refusal_heard_after_the_technician_was_assigned_back_still_starts_the_reclamation(
    stage: Stage,
) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id, assignment=3))
    refused = AssignmentRefused(state=visit(world.karim, "in_progress"), refused_technician_id=world.sofia.id)
    assert (await stage.hears(refused)).only(ReclamationMoved).after == "in_progress"


async def test_other_moves_of_a_visit_change_nothing(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    gone = InterventionMoved(state=visit(world.karim, "en_route"), before="accepted", after="en_route")
    assert (await stage.hears(gone)).events == []


async def test_a_visit_that_was_told_when_it_was_over_began_before(stage: Stage) -> None:
    """What a telephone did offline comes at once: all its events carry the state in the end."""
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    over = visit(world.karim, "completed")
    began = InterventionStarted(state=over)
    assert (await stage.hears(began)).only(ReclamationMoved).after == "in_progress"
    ended = InterventionMoved(state=over, before="in_progress", after="completed")
    assert (await stage.hears(ended)).events == []


async def test_a_refused_assignment_gives_the_reclamation_back_to_who_is_on_site(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id))
    refused = AssignmentRefused(state=visit(world.karim, "on_site"), refused_technician_id=world.sofia.id)
    restored = (await stage.hears(refused)).only(TechnicianAssigned)
    assert restored.technician_id == restored.state.technician_id == world.karim.id
    assert restored.previous_technician_id == world.sofia.id


async def test_where_work_has_begun_the_restored_reclamation_is_in_progress(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.sofia.id))
    refused = AssignmentRefused(state=visit(world.karim, "in_progress"), refused_technician_id=world.sofia.id)
    outcome = await stage.hears(refused)
    assert [type(event) for event in outcome.events] == [TechnicianAssigned, ReclamationMoved]
    assert [event.state.version for event in outcome.events] == [3, 3]


async def test_a_refusal_of_an_older_assignment_is_obsolete(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    refused = AssignmentRefused(state=visit(world.karim, "on_site"), refused_technician_id=world.sofia.id)
    assert (await stage.hears(refused)).events == []
