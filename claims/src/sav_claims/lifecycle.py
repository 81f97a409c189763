"""The states of a réclamation, and its first priority."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, STAFF, Role
from sav_contracts.claims.reclamation import Priority, ProblemType, ReclamationStatus, Safety

BY_EVENT = {Role.SYSTEM}
CLIENT_OR_MANAGERS = MANAGERS | {Role.CLIENT}
OVER: tuple[ReclamationStatus, ...] = ("closed", "cancelled", "rejected", "merged")
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
        ("reopened", "assigned"): MANAGERS,
        ("reopened", "closed"): MANAGERS,
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

# States in which a manager may qualify again.
UNDER_WAY: frozenset[ReclamationStatus] = frozenset(
    {"qualified", "awaiting_client", "assigned", "in_progress", "awaiting_parts"}
)
URGENT: frozenset[ProblemType] = frozenset({"leak", "no_heating", "electrical"})


def triage(problem_type: ProblemType, safety: Safety) -> tuple[Priority, str]:
    """The priority a réclamation starts with, and why."""
    if safety.endangers():
        return "critical", "danger reported in the safety answers"
    if problem_type in URGENT:
        return "high", f"problem type {problem_type}"
    return "normal", f"problem type {problem_type}"
