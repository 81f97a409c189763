"""The states of a notification."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import PEOPLE, Role
from sav_contracts.notifier import NotificationStatus

BY_EVENT = {Role.SYSTEM}

NOTIFICATION: Lifecycle[NotificationStatus] = Lifecycle(
    "notification",
    {
        ("planned", "suppressed"): BY_EVENT,
        ("planned", "queued"): BY_EVENT,
        ("queued", "suppressed"): BY_EVENT,
        ("queued", "sent"): BY_EVENT,
        ("queued", "kept_locally"): BY_EVENT,
        ("queued", "failed"): BY_EVENT,
        ("queued", "dead"): BY_EVENT,
        ("failed", "suppressed"): BY_EVENT,
        ("failed", "sent"): BY_EVENT,
        ("failed", "kept_locally"): BY_EVENT,
        ("failed", "failed"): BY_EVENT,
        ("failed", "dead"): BY_EVENT,
        ("sent", "delivered"): BY_EVENT,
        ("sent", "read"): PEOPLE,
        ("kept_locally", "read"): PEOPLE,
        ("delivered", "read"): PEOPLE,
    },
    # No channel reports that yet.
    unmade=["delivered"],
)
