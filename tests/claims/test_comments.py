"""Comments and notes about réclamations, and who may be called to them."""

from typing import Any
from uuid import UUID

import pytest
import world
from given_claims import reclamation
from given_views import a
from pydantic import ValidationError

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.claims.comment import AddComment, AddNote, CommentAdded, NoteAdded
from sav_contracts.claims.reclamation import ReclamationChanged, ReclamationMoved
from sav_contracts.messages import View

RECLAMATION, TARGET = UUID(int=100), UUID(int=101)
GONE = Actor(id=UUID(int=23), role=Role.MANAGER)


@pytest.fixture
async def stage(stage: Stage) -> Stage:
    for who, name in (
        (world.karim, "Karim Haddad"),
        (world.sofia, "Sofia Martin"),
        (world.marie, "Marie Laurent"),
        (world.alex, "Alex Dubois"),
        (world.lea, "Léa"),
    ):
        await stage.knows(a(AccountView, who.id, user_id=who.id, role=who.role, name=name))
    await stage.knows(
        a(AccountView, GONE.id, user_id=GONE.id, role="manager", name="Parti", status="deactivated")
    )
    return stage


def comment(*mentions: Actor, **fields: Any) -> AddComment:
    usual = {"reclamation_id": RECLAMATION, "text": "Le bruit revient.", "mentions": ids(*mentions)}
    return AddComment.model_validate(usual | fields)


def note(*mentions: Actor) -> AddNote:
    return AddNote(reclamation_id=RECLAMATION, text="Chien méchant.", mentions=ids(*mentions))


def ids(*people: Actor) -> tuple[UUID, ...]:
    return tuple(who.id for who in people)


def narrowed(view: View) -> View | None:
    return view.for_client()


def refused(outcome: Outcome) -> tuple[int, str, set[str]]:
    assert outcome.problem, outcome.reply
    assert outcome.events == []
    return (
        outcome.problem.status,
        outcome.problem.code,
        {error.field for error in outcome.problem.errors or []},
    )


@pytest.mark.parametrize(
    ("who", "name"),
    [
        (world.lea, "Léa"),
        (world.karim, "Karim Haddad"),
        (world.marie, "Marie Laurent"),
        (world.alex, "Alex Dubois"),
    ],
)
async def test_everybody_concerned_comments(stage: Stage, who: Actor, name: str) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await stage.when(comment(), by=who)
    told, *answer = outcome.events
    assert isinstance(told, CommentAdded)
    assert [type(event) for event in answer] == ([] if who is world.lea else [ReclamationChanged])
    assert (told.state.by, told.state.author_id, told.state.author) == (who.role, who.id, name)
    assert (told.technician_id, told.answers) == (world.karim.id, False)
    assert ("author" in outcome.reply) is (who is not world.lea)


async def test_strangers_find_nothing_to_comment(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    for who in (world.paul, world.sofia):
        assert refused(await stage.when(comment(), by=who))[:2] == (404, "not_found")
    assert refused(await stage.when(note(), by=world.sofia))[:2] == (404, "not_found")
    assert refused(await stage.when(note(), by=world.lea))[:2] == (403, "not_allowed")


@pytest.mark.parametrize("who", [world.karim, world.marie, world.alex])
async def test_staff_write_notes_that_have_no_form_for_clients(stage: Stage, who: Actor) -> None:
    await stage.given(reclamation(status="closed", technician_id=world.karim.id))
    told = (await stage.when(note(), by=who)).only(NoteAdded)
    assert told.state.text == "Chien méchant."
    assert told.for_client() is None
    assert narrowed(told.state) is None


@pytest.mark.parametrize("write", [comment, note])
async def test_active_staff_who_read_it_are_mentioned_once(stage: Stage, write: Any) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    outcome = await stage.when(write(world.karim, world.alex, world.karim), by=world.marie)
    told: Any = outcome.events[0]
    assert told.state.mentions == (world.karim.id, world.alex.id)


@pytest.mark.parametrize("write", [comment, note])
async def test_nobody_else_is_mentioned_and_all_are_answered_alike(stage: Stage, write: Any) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    nobody = Actor(id=UUID(int=999), role=Role.MANAGER)
    outcome = await stage.when(write(world.karim, world.sofia, GONE, world.lea, nobody), by=world.marie)
    assert refused(outcome) == (422, "invalid", {f"mentions.{n}" for n in (1, 2, 3, 4)})
    assert outcome.problem
    assert len({error.message for error in outcome.problem.errors or []}) == 1


async def test_a_client_mentions_nobody(stage: Stage) -> None:
    await stage.given(reclamation(status="assigned", technician_id=world.karim.id))
    assert refused(await stage.when(comment(world.karim), by=world.lea)) == (422, "invalid", {"mentions"})


async def test_the_clients_comment_answers_what_waits_for_them(stage: Stage) -> None:
    await stage.given(reclamation(status="awaiting_client", before_waiting="submitted"))
    asked, answered = (await stage.when(comment(), by=world.marie)).events
    assert isinstance(asked, CommentAdded)
    assert asked.answers is False
    assert answered.state.responded_at
    told, moved = (await stage.when(comment(), by=world.lea)).events
    assert isinstance(told, CommentAdded)
    assert told.answers
    assert isinstance(moved, ReclamationMoved)
    assert (moved.before, moved.after) == ("awaiting_client", "submitted")


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        ("closed", "closed_for_comments", "reopen it first"),
        ("cancelled", "over_for_comments", "report the fault anew"),
        ("rejected", "over_for_comments", "report the fault anew"),
    ],
)
async def test_what_is_over_takes_no_comment_and_says_what_to_do(
    stage: Stage, status: str, code: str, says: str
) -> None:
    await stage.given(reclamation(status=status))
    for who in (world.lea, world.marie):
        outcome = await stage.when(comment(), by=who)
        assert refused(outcome)[:2] == (409, code)
        assert outcome.problem
        assert says in outcome.problem.detail


async def test_what_was_merged_names_the_one_that_goes_on(stage: Stage) -> None:
    await stage.given(reclamation(id=TARGET, reference="REC-2026-000101"))
    await stage.given(reclamation(status="merged", merged_into_id=TARGET))
    for write, who in ((comment, world.lea), (comment, world.marie), (note, world.marie)):
        outcome = await stage.when(write(), by=who)
        assert refused(outcome)[:2] == (409, "merged_away")
        assert outcome.problem
        assert "REC-2026-000101" in outcome.problem.detail


@pytest.mark.parametrize(
    "wrong", [{"text": " "}, {"text": "x" * 4001}, {"mentions": [str(RECLAMATION)] * 11}]
)
def test_a_comment_has_words_and_few_mentions(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        comment(**wrong)
