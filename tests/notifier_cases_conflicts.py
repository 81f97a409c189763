"""What is told of visits that do not fit into the calendar: of several at once, and of what a client chooses."""

from uuid import UUID

import world
from given_notifier import APPOINTMENT, BORN, GRANT, LATER, SLOT, booked, conflict, planned
from notifier_case import LEA, MANAGERS, Case

from sav_contracts.calendar.conflict import (
    AlsoInConflict,
    Alternative,
    ConflictBecameMoot,
    ConflictDetected,
    ConflictResolved,
)
from sav_contracts.calendar.offer import OfferUnanswered, TimesOffered

SOFIA_AT_THAT_TIME = Alternative(technician_id=world.sofia.id, start=SLOT.start, end=SLOT.end)
NOBODY_GOES = conflict(problem="technician_left", proposals=[], alternatives=[SOFIA_AT_THAT_TIME])
ANOTHER = AlsoInConflict(reclamation_reference="REC-2126-000009", intervention_id=UUID(int=499), wanted=LATER)
THEN = Alternative(technician_id=world.karim.id, start=LATER.start, end=LATER.end)
OFFERED = conflict(problem="absence", version=2, offered=[THEN], offered_until=LATER.start)

MOOT = conflict(problem="absence", version=3, status="moot", appointment_id=APPOINTMENT)


def times(**fields: object) -> TimesOffered:
    state = OFFERED.model_copy(update=fields)
    return TimesOffered(state=state, grant_id=GRANT, expires_at=LATER.start, arrival_minutes=60)


CONFLICTS = [
    Case(
        "conflict without a way out",
        ConflictDetected(state=conflict(proposals=[], problem="absence")),
        {"visit_conflict": MANAGERS},
    ),
    Case("a visit for whom somebody left", ConflictDetected(state=NOBODY_GOES), {"visit_conflict": MANAGERS}),
    Case(
        "a visit without a time for whom somebody left",
        ConflictDetected(state=conflict(problem="technician_left", proposals=[], no_time_yet=True)),
        {"visit_conflict": MANAGERS},
    ),
    Case(
        "one of all the visits of somebody who left",
        ConflictDetected(state=NOBODY_GOES, one_of_many=True),
        {},
    ),
    Case(
        "several visits that do not fit at once",
        ConflictDetected(state=conflict(problem="absence"), others=[ANOTHER]),
        {"visits_conflict": MANAGERS},
    ),
    Case(
        "more visits that do not fit than are named",
        ConflictDetected(state=conflict(problem="absence"), others=[ANOTHER] * 25),
        {"visits_conflict": MANAGERS},
    ),
    Case(
        "more visits that do not fit than the event names",
        ConflictDetected(state=conflict(problem="absence"), others=[ANOTHER] * 25, more=40),
        {"visits_conflict": MANAGERS},
    ),
    Case("other times for the client", times(), {"times_offered": LEA}, (planned(SLOT),)),
    Case(
        "a first time for the client",
        times(no_time_yet=True),
        {"times_offered": LEA},
        (planned(),),
    ),
    Case(
        "no answer to other times",
        OfferUnanswered(state=OFFERED.model_copy(update={"version": 3})),
        {"offer_unanswered": MANAGERS},
    ),
    Case(
        "no answer to other times until the last began",
        OfferUnanswered(state=OFFERED.model_copy(update={"version": 3, "offered_until": BORN})),
        {"offer_unanswered": MANAGERS},
    ),
    Case(
        "a time that stands after all, of a client who was asked",
        ConflictBecameMoot(state=MOOT.model_copy(update={"offered": [THEN], "offered_until": LATER.start})),
        {"appointment_stands": LEA},
        (planned(SLOT), booked()),
    ),
    Case(
        "a time that a manager lets stand, of a client who was asked",
        ConflictResolved(
            state=MOOT.model_copy(update={"status": "resolved", "offered": [THEN]}),
            technician_id=world.karim.id,
            slot=SLOT,
        ),
        {"appointment_stands": LEA},
        (planned(SLOT), booked()),
    ),
    Case(
        "a time that stands since a manager decided about another conflict, of a client who was asked",
        ConflictResolved(state=MOOT.model_copy(update={"status": "resolved", "offered": [THEN]})),
        {"appointment_stands": LEA},
        (planned(SLOT), booked()),
    ),
    Case(
        "another time that a manager chose, of a client who was asked",
        ConflictResolved(
            state=MOOT.model_copy(update={"status": "resolved", "offered": [THEN]}),
            technician_id=world.sofia.id,
            slot=SLOT,
        ),
        {},
        (planned(SLOT), booked()),
    ),
    Case(
        "a time that stands after all, of which nobody knew",
        ConflictBecameMoot(state=MOOT),
        {},
        (planned(SLOT), booked()),
    ),
    Case(
        "a time that the client chose",
        ConflictResolved(state=conflict(status="resolved", version=3), by_client=True, slot=LATER),
        {"time_chosen": MANAGERS},
        (planned(SLOT),),
    ),
    Case(
        "a time that a manager chose",
        ConflictResolved(state=conflict(status="resolved", version=3), slot=LATER),
        {},
    ),
]
