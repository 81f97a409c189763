"""The states of a visit."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import STAFF, Role
from sav_contracts.interventions import InterventionStatus

BY_EVENT = {Role.SYSTEM}

# Managers move a visit on the technician's behalf.
INTERVENTION: Lifecycle[InterventionStatus] = Lifecycle(
    "intervention",
    {
        ("planned", "accepted"): STAFF,
        ("planned", "declined"): STAFF,
        ("accepted", "en_route"): STAFF,
        ("en_route", "on_site"): STAFF,
        ("on_site", "in_progress"): STAFF,
        ("planned", "cancelled"): BY_EVENT,
        ("accepted", "cancelled"): BY_EVENT,
        ("en_route", "cancelled"): BY_EVENT,
    },
)
