"""The states of a réclamation and of an order, and a réclamation's first priority."""

from typing import TYPE_CHECKING

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, STAFF, Role
from sav_contracts.claims.order import OrderStatus
from sav_contracts.claims.reclamation import OVER, Priority, ProblemType, ReclamationStatus, Safety

if TYPE_CHECKING:
    from sav_claims.model import Reclamation

BY_EVENT = {Role.SYSTEM}
CLIENT_OR_MANAGERS = MANAGERS | {Role.CLIENT}
MERGEABLE: tuple[ReclamationStatus, ...] = (
    "submitted",
    "qualified",
    "awaiting_client",
    "assigned",
    "in_progress",
    "awaiting_parts",
    "resolved",
    "reopened",
)
# States that people may have given it just as its technician arrived.
ENDED_BY_HAND: tuple[ReclamationStatus, ...] = (
    "resolved",
    "closed",
    "cancelled",
    "merged",
    "rejected",
    "awaiting_client",
)
# Where it may go back to while a technician is already on site.
WITH_TECHNICIAN: tuple[ReclamationStatus, ...] = ("assigned", "in_progress")

RECLAMATION: Lifecycle[ReclamationStatus] = Lifecycle(
    "reclamation",
    {
        ("submitted", "qualified"): MANAGERS,
        ("submitted", "awaiting_client"): MANAGERS,
        ("qualified", "awaiting_client"): MANAGERS,
        ("awaiting_client", "submitted"): CLIENT_OR_MANAGERS,
        ("awaiting_client", "qualified"): CLIENT_OR_MANAGERS,
        ("qualified", "assigned"): MANAGERS | BY_EVENT,
        ("assigned", "assigned"): MANAGERS | BY_EVENT,
        ("assigned", "qualified"): MANAGERS | BY_EVENT,
        ("assigned", "in_progress"): STAFF | BY_EVENT,
        ("in_progress", "awaiting_parts"): STAFF | BY_EVENT,
        ("awaiting_parts", "in_progress"): STAFF | BY_EVENT,
        ("awaiting_parts", "assigned"): MANAGERS | BY_EVENT,
        # Its next visit was declined or cancelled.
        ("awaiting_parts", "qualified"): BY_EVENT,
        ("in_progress", "assigned"): BY_EVENT,
        # Its further visit was declined or cancelled, and no report that could resolve it is still to come.
        ("in_progress", "qualified"): BY_EVENT,
        ("in_progress", "resolved"): MANAGERS | BY_EVENT,
        ("qualified", "resolved"): MANAGERS,
        # Also by event, if `InterventionStarted` was not applied here.
        ("assigned", "resolved"): MANAGERS | BY_EVENT,
        ("awaiting_parts", "resolved"): MANAGERS | BY_EVENT,
        # By its client, by a manager, or by the timer `close_after_a_while`.
        ("resolved", "closed"): CLIENT_OR_MANAGERS | BY_EVENT,
        ("resolved", "reopened"): CLIENT_OR_MANAGERS,
        ("closed", "reopened"): CLIENT_OR_MANAGERS,
        ("reopened", "qualified"): MANAGERS,
        # By event, where a technician is on site whose visit did not help, as it seemed.
        ("reopened", "assigned"): MANAGERS | BY_EVENT,
        ("reopened", "in_progress"): BY_EVENT,
        ("reopened", "closed"): MANAGERS,
        # Its technician was on site already when it was ended, or taken from them: the visit goes on.
        **dict.fromkeys([(end, back) for end in ENDED_BY_HAND for back in WITH_TECHNICIAN], BY_EVENT),
        ("qualified", "in_progress"): BY_EVENT,
        ("submitted", "cancelled"): CLIENT_OR_MANAGERS,
        ("qualified", "cancelled"): CLIENT_OR_MANAGERS,
        ("awaiting_client", "cancelled"): CLIENT_OR_MANAGERS,
        ("assigned", "cancelled"): CLIENT_OR_MANAGERS,
        ("submitted", "rejected"): MANAGERS,
        ("qualified", "rejected"): MANAGERS,
        ("awaiting_client", "rejected"): MANAGERS,
        **dict.fromkeys([(status, "merged") for status in MERGEABLE], MANAGERS),
    },
)

# What nobody may do to it while a technician is on site: the visit's own end does it.
ENDS: frozenset[ReclamationStatus] = frozenset({"qualified", "resolved", *OVER})
# What clients may ask for by the route of moves. Their photos and comments answer a question.
ASKED_BY_CLIENTS: frozenset[ReclamationStatus] = frozenset({"cancelled", "closed", "reopened"})
# From the most urgent on.
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "normal", "low")

MANAGER_ONLY = {Role.MANAGER}
# Who may have ordered, and managers; the command refuses those who did not order.
WHO_ORDERED = {Role.CLIENT, Role.TECHNICIAN, Role.MANAGER}
# Also by SAV itself, when the réclamation of a repair is over.
MANAGER_OR_END = MANAGER_ONLY | BY_EVENT

ORDER: Lifecycle[OrderStatus] = Lifecycle(
    "order",
    {
        ("placed", "validated"): MANAGER_ONLY,
        ("placed", "refused"): MANAGER_ONLY,
        ("validated", "reserved"): BY_EVENT,
        ("validated", "back_ordered"): BY_EVENT,
        ("back_ordered", "reserved"): BY_EVENT,
        # Fewer pieces were counted than are reserved.
        ("reserved", "back_ordered"): BY_EVENT,
        ("reserved", "shipped"): MANAGER_ONLY,
        ("shipped", "received"): WHO_ORDERED,
        ("placed", "cancelled"): WHO_ORDERED | BY_EVENT,
        ("validated", "cancelled"): MANAGER_OR_END,
        ("reserved", "cancelled"): MANAGER_OR_END,
        ("back_ordered", "cancelled"): MANAGER_OR_END,
    },
)

# States in which a manager may qualify again.
UNDER_WAY: frozenset[ReclamationStatus] = frozenset(
    {"qualified", "awaiting_client", "assigned", "in_progress", "awaiting_parts"}
)
URGENT: frozenset[ProblemType] = frozenset({"leak", "no_heating", "electrical"})


def lowering(reclamation: "Reclamation", priority: Priority) -> bool:
    """Whether this takes priority away from a réclamation in which danger was reported: that needs a reason."""
    return reclamation.safety.endangers() and PRIORITIES.index(priority) > PRIORITIES.index(
        reclamation.priority
    )


def triage(problem_type: ProblemType, safety: Safety) -> tuple[Priority, str]:
    """The priority a réclamation starts with, and why."""
    if safety.endangers():
        return "critical", "danger reported in the safety answers"
    if problem_type in URGENT:
        return "high", f"problem type {problem_type}"
    return "normal", f"problem type {problem_type}"
