"""The states of an appointment and of a conflict, and which réclamations may be planned."""

from sav_chassis.errors import Conflict, NotYet
from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, PEOPLE, Role
from sav_contracts.calendar import AppointmentStatus, ConflictStatus
from sav_contracts.claims import ReclamationStatus, ReclamationView
from sav_contracts.interventions.visit import InterventionStatus

BY_EVENT = {Role.SYSTEM}
BY_TIMER = {Role.SYSTEM}
CHOOSING = MANAGERS | {Role.CLIENT}

APPOINTMENT: Lifecycle[AppointmentStatus] = Lifecycle(
    "appointment",
    {
        ("held", "booked"): CHOOSING | BY_EVENT,
        ("held", "expired"): BY_TIMER,
        ("held", "cancelled"): CHOOSING | BY_EVENT,
        ("booked", "done"): BY_EVENT,
        ("booked", "no_show"): MANAGERS | BY_EVENT,
        ("booked", "cancelled"): PEOPLE | BY_EVENT,
    },
)

CONFLICT: Lifecycle[ConflictStatus] = Lifecycle(
    "conflict",
    {
        ("open", "resolved"): MANAGERS,
        ("open", "moot"): BY_EVENT,
    },
)

# The states in which an appointment takes its technician's time; the exclusion constraint names the same ones.
TAKES_TIME: tuple[AppointmentStatus, ...] = ("held", "booked")

# What becomes of the appointment when its visit ends.
AFTER_VISIT: dict[InterventionStatus, AppointmentStatus] = {
    "declined": "cancelled",
    "cancelled": "cancelled",
    "no_access": "no_show",
    "completed": "done",
    "incomplete": "done",
}

# Why a réclamation in another state than qualified, assigned, in progress or awaiting parts gets no visit.
NOT_PLANNABLE: dict[ReclamationStatus, str] = {
    "submitted": "it is not qualified yet",
    "awaiting_client": "it waits for an answer of its client",
    "resolved": "it is resolved; reopen it first",
    "closed": "it is closed; reopen it first",
    "reopened": "it is reopened and not qualified again yet",
    "cancelled": "it is cancelled",
    "rejected": "it was rejected",
    "merged": "it was merged into another one; choose a time for that one",
}


class NotPlannable(Conflict):
    """No visit is planned for a réclamation in this state; the detail says why."""

    code = "not_plannable"


def check_plannable(reclamation: ReclamationView) -> None:
    """Raises `NotYet` where it is no time for a visit, as far as is known here: it may just have been qualified."""
    if why := NOT_PLANNABLE.get(reclamation.status):
        refusal = NotPlannable(f"there is no time to choose for {reclamation.reference}: {why}")
        raise NotYet(reclamation.kind(), reclamation.id, otherwise=refusal)
