"""The state tables: every move that is not in them is refused, whoever asks."""

from typing import get_args

import pytest
import world
from given_calendar import appointment, at

from sav_calendar.lifecycle import APPOINTMENT, CONFLICT
from sav_chassis.errors import IllegalMove, NotAllowed
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.calendar.appointment import AppointmentStatus
from sav_contracts.calendar.conflict import ConflictStatus
from sav_contracts.claims.reclamation import ReclamationStatus
from sav_contracts.claims.visits import NOT_PLANNABLE

MOVES = {
    ("held", "booked"): {"client", "manager", "admin", "system"},
    ("held", "expired"): {"system"},
    ("held", "cancelled"): {"client", "manager", "admin", "system"},
    ("booked", "done"): {"system"},
    ("booked", "no_show"): {"manager", "admin", "system"},
    ("booked", "cancelled"): {"client", "technician", "manager", "admin", "system"},
}
EVERYBODY = (world.lea, world.karim, world.marie, world.alex, SYSTEM)


@pytest.mark.parametrize("by", EVERYBODY, ids=lambda by: by.role)
@pytest.mark.parametrize("to", get_args(AppointmentStatus))
@pytest.mark.parametrize("now", get_args(AppointmentStatus))
def test_an_appointment_moves_as_the_table_says(
    now: AppointmentStatus, to: AppointmentStatus, by: Actor
) -> None:
    who = MOVES.get((now, to))
    row = appointment(at(1, 8), status=now)
    if who and by.role in who:
        row.move(to, by)
        assert row.status == to
        return
    # What somebody else may do is not theirs; what no person may do is no move.
    with pytest.raises(NotAllowed if who and who - {"system"} else IllegalMove):
        row.move(to, by)
    assert row.status == now


def test_what_is_over_stays_over() -> None:
    for status in ("expired", "done", "no_show", "cancelled"):
        assert not any(APPOINTMENT.legal(status, who) for who in EVERYBODY)
    ended: ConflictStatus
    for ended in ("resolved", "moot"):
        assert not any(CONFLICT.legal(ended, who) for who in EVERYBODY)


def test_a_manager_resolves_a_conflict_and_sav_itself_makes_it_moot() -> None:
    assert CONFLICT.legal("open", world.marie) == CONFLICT.legal("open", world.alex) == ["resolved"]
    # Itself it resolves what a client chose by a link.
    assert CONFLICT.legal("open", SYSTEM) == ["resolved", "moot"]
    assert CONFLICT.legal("open", world.lea) == CONFLICT.legal("open", world.karim) == []


def test_every_state_of_a_reclamation_is_plannable_or_has_its_reason() -> None:
    plannable = set(get_args(ReclamationStatus)) - set(NOT_PLANNABLE)
    assert plannable == {"qualified", "assigned", "in_progress", "awaiting_parts"}
