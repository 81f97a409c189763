"""The states of an appointment, of a planning conflict and of an absence, and which réclamations may get a visit."""

from sav_chassis.errors import Conflict, NotYet
from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, PEOPLE, STAFF, Role
from sav_contracts.calendar.absence import AbsenceStatus
from sav_contracts.calendar.appointment import AppointmentStatus
from sav_contracts.calendar.conflict import ConflictStatus
from sav_contracts.calendar.waiting import EarlierStatus
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.claims.visits import NOT_PLANNABLE
from sav_contracts.interventions.visit import InterventionStatus, InterventionView
from sav_contracts.labels import label
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
        # By event: its client chose a time by the link that was sent.
        ("open", "resolved"): MANAGERS | BY_EVENT,
        ("open", "moot"): BY_EVENT,
    },
)

EARLIER: Lifecycle[EarlierStatus] = Lifecycle(
    "earlier_visit",
    {
        ("waiting", "offered"): BY_TIMER,
        ("waiting", "ended"): PEOPLE | BY_EVENT,
        # Taken back: its technician is not there then, or the visit has another time or technician.
        ("offered", "waiting"): BY_EVENT,
        ("offered", "ended"): PEOPLE | BY_EVENT,
        ("ended", "waiting"): CHOOSING,
    },
)

ABSENCE: Lifecycle[AbsenceStatus] = Lifecycle("absence", {("planned", "removed"): STAFF})

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


class NotPlannable(Conflict):
    """No visit is planned for a réclamation in this state; the detail says why."""

    code = "not_plannable"
    reference: str
    why: Text
    en = "There is no time to choose for {reference}: {why}"
    fr = "Il n’y a pas de créneau à choisir pour {reference} : {why}"


class SetOut(Conflict):
    """The time of a visit is chosen until its technician sets out."""

    code = "set_out"
    reference: str
    state: Text
    en = "There is no time to choose for {reference}: the visit is {state}"
    fr = "Il n’y a pas de créneau à choisir pour {reference} : l’intervention est à l’état « {state} »"


def check_plannable(what: ReclamationView | InterventionView) -> None:
    """Raises `NotYet`, in the end a refusal, where the state of a réclamation or visit allows no time: the copy may be late."""
    if isinstance(what, ReclamationView):
        _check_reclamation(what)
    elif what.status not in ("planned", "accepted"):
        raise NotYet(what.kind(), what.id, SetOut(reference=what.called, state=label(what.status)))


def _check_reclamation(reclamation: ReclamationView) -> None:
    if why := NOT_PLANNABLE.get(reclamation.status):
        refusal = NotPlannable(reference=reclamation.reference, why=why)
        raise NotYet(reclamation.kind(), reclamation.id, otherwise=refusal)
