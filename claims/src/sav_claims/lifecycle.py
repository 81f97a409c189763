"""The states of a réclamation, and how urgent one is."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, Role
from sav_contracts.claims import Priority, ProblemType, ReclamationStatus, Safety

BY_EVENT = {Role.SYSTEM}

RECLAMATION: Lifecycle[ReclamationStatus] = Lifecycle(
    "reclamation",
    {
        ("submitted", "qualified"): MANAGERS,
        ("assigned", "qualified"): BY_EVENT,
        ("qualified", "assigned"): MANAGERS,
        ("assigned", "assigned"): MANAGERS | BY_EVENT,
        ("assigned", "in_progress"): BY_EVENT,
    },
)

# What was qualified may be decided again until it is over.
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
