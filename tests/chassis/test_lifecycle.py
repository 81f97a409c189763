"""State tables: what the table has is legal, for those it names."""

from typing import Literal

import pytest
import world
from hypothesis import given
from hypothesis import strategies as st

from sav_chassis.errors import IllegalMove, NotAllowed
from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import SYSTEM, Actor, Role

State = Literal["open", "shut", "burnt"]
STATES: tuple[State, ...] = ("open", "shut", "burnt")
BOX: Lifecycle[State] = Lifecycle(
    "box",
    {
        ("open", "shut"): {Role.CLIENT, Role.MANAGER},
        ("shut", "open"): {Role.MANAGER},
        ("open", "burnt"): {Role.SYSTEM},
    },
)
ACTORS = [world.lea, world.karim, world.marie, SYSTEM]


def test_what_the_table_allows_is_done() -> None:
    BOX.check("open", "shut", world.lea)
    BOX.check("open", "burnt", SYSTEM)


def test_what_the_table_does_not_have_is_answered_with_what_the_caller_may() -> None:
    with pytest.raises(IllegalMove) as raised:
        BOX.check("open", "open", world.marie)
    problem = raised.value.problem
    assert (problem.status, problem.code, problem.moves) == (409, "illegal_move", ["shut"])


def test_what_only_an_event_does_is_an_illegal_move_of_a_person() -> None:
    with pytest.raises(IllegalMove) as raised:
        BOX.check("open", "burnt", world.marie)
    assert raised.value.problem.moves == ["shut"]


@pytest.mark.parametrize(("to", "who"), [("shut", world.karim), ("shut", SYSTEM)])
def test_what_is_for_others_is_not_allowed(to: State, who: Actor) -> None:
    with pytest.raises(NotAllowed) as raised:
        BOX.check("open", to, who)
    assert raised.value.problem.status == 403


@given(now=st.sampled_from(STATES), to=st.sampled_from(STATES), who=st.sampled_from(ACTORS))
def test_a_move_is_done_exactly_where_it_is_listed_as_legal(now: State, to: State, who: Actor) -> None:
    legal = to in BOX.legal(now, who)
    try:
        BOX.check(now, to, who)
    except NotAllowed:
        assert (now, to) in BOX.moves
        assert not legal
    except IllegalMove:
        assert set(BOX.moves.get((now, to), ())) <= {Role.SYSTEM}
        assert not legal
    else:
        assert legal
    assert BOX.allows(now, to, who) == legal
