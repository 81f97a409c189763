"""What the generated topology may do with names that databases hold: keep them, add to them, never lose one."""

import pytest

from sav_ops.documents import stored_names
from sav_ops.documents.stored_names import Names
from sav_ops.home import OpsError

BOOKED, MOVED = "calendar.AppointmentBooked.v1", "calendar.AppointmentChanged.v1"


def names(**changed: object) -> Names:
    usual: dict[str, object] = {
        "reactions": {"take_the_slot": {BOOKED: None}},
        "retired": {"begin": [BOOKED]},
        "timers": ["ring"],
        "effects": ["deliver"],
    }
    return {"claims": usual | changed}


@pytest.mark.parametrize(
    "today",
    [
        names(),
        names(reactions={"take_the_slot": {BOOKED: None, MOVED: "2026-12-01T00:00:00+00:00"}}),
        names(reactions={"take_the_slot": {BOOKED: None}, "tell": {BOOKED: "2026-12-01T00:00:00+00:00"}}),
        names(reactions={"take_the_slot": {BOOKED: None, "calendar.NeverPublished.v1": None}}),
        names(reactions={}, retired={"begin": [BOOKED], "take_the_slot": [BOOKED]}),
        names(timers=["call", "ring"], effects=["deliver", "print"]),
        names()
        | {"visits": {"reactions": {"plan": {BOOKED: None}}, "retired": {}, "timers": [], "effects": []}},
    ],
    ids=[
        "the same",
        "another event",
        "another reaction",
        "an event that never was before",
        "retired",
        "more timers and effects",
        "another service",
    ],
)
def test_what_only_adds_is_kept(today: Names) -> None:
    stored_names.keep(names(), today)


@pytest.mark.parametrize(
    ("today", "line"),
    [
        (names(reactions={"take_it": {BOOKED: None}}), "claims: take_the_slot does not react to"),
        (names(reactions={"take_it": {BOOKED: None}}), "claims: take_it reacts to calendar.AppointmentBooked.v1 and does not say since when"),
        (names(reactions={"take_the_slot": {MOVED: None}}), "claims: take_the_slot does not react to calendar.AppointmentBooked.v1 any more"),
        (names(reactions={"take_the_slot": {BOOKED: None, MOVED: None}}), "claims: take_the_slot reacts to calendar.AppointmentChanged.v1 and"),
        (names(retired={}), "claims: begin does not react to"),
        (names(retired={"take_the_slot": [BOOKED], "begin": [BOOKED]}), "claims: take_the_slot reacts to calendar.AppointmentBooked.v1 and is retired"),
        (names(timers=[]), "claims: ring of its timers is gone"),
        (names(effects=["send"]), "claims: deliver of its effects is gone"),
        ({}, "claims: ring of its timers is gone"),
    ],
    ids=["renamed", "renamed, as new", "another event", "one more event", "retired no more", "both", "timer", "effect", "service"],
)  # fmt: skip
def test_what_history_would_lose_is_named_with_the_cure(today: Names, line: str) -> None:
    with pytest.raises(OpsError) as problem:
        stored_names.keep(names(), today)
    assert f"\n  {line}" in str(problem.value)
    assert "@stored_as(" in str(problem.value)
