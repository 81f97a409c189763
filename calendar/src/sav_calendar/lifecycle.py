"""The states of an appointment and of a planning conflict, and which réclamations may get a visit."""

from sav_chassis.errors import Conflict, NotYet
from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, PEOPLE, Role
from sav_contracts.calendar import AppointmentStatus, ConflictStatus
from sav_contracts.claims.reclamation import ReclamationStatus, ReclamationView
from sav_contracts.interventions.visit import InterventionStatus
from sav_contracts.sentences import Text

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

# The states in which an appointment takes its technician's time; the exclusion constraint names the same states.
TAKES_TIME: tuple[AppointmentStatus, ...] = ("held", "booked")

# The appointment's state after each end of its visit.
AFTER_VISIT: dict[InterventionStatus, AppointmentStatus] = {
    "declined": "cancelled",
    "cancelled": "cancelled",
    "no_access": "no_show",
    "completed": "done",
    "incomplete": "done",
}

# Why a réclamation in these states gets no visit. The others: qualified, assigned, in progress, awaiting parts.
NOT_PLANNABLE: dict[ReclamationStatus, Text] = {
    "submitted": Text("it is not qualified yet", "elle n’est pas encore qualifiée"),
    "awaiting_client": Text("it waits for an answer of its client", "elle attend une réponse de son client"),
    "resolved": Text("it is resolved; reopen it first", "elle est résolue ; rouvrez-la d’abord"),
    "closed": Text("it is closed; reopen it first", "elle est clôturée ; rouvrez-la d’abord"),
    "reopened": Text(
        "it is reopened and not qualified again yet", "elle est rouverte et n’a pas encore été requalifiée"
    ),
    "cancelled": Text("it is cancelled", "elle est annulée"),
    "rejected": Text("it was rejected", "elle a été rejetée"),
    "merged": Text(
        "it was merged into another one; choose a time for that one",
        "elle a été fusionnée avec une autre ; choisissez un créneau pour celle-ci",
    ),
}


class NotPlannable(Conflict):
    """No visit is planned for a réclamation in this state; the detail says why."""

    code = "not_plannable"
    reference: str
    why: Text
    en = "There is no time to choose for {reference}: {why}"
    fr = "Il n’y a pas de créneau à choisir pour {reference} : {why}"


def check_plannable(reclamation: ReclamationView) -> None:
    """Raises `NotYet`, in the end `NotPlannable`, where its state allows no visit: the copy may be late."""
    if why := NOT_PLANNABLE.get(reclamation.status):
        refusal = NotPlannable(reference=reclamation.reference, why=why)
        raise NotYet(reclamation.kind(), reclamation.id, otherwise=refusal)
