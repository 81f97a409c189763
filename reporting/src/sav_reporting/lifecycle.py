"""The states of feedback."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import Role
from sav_contracts.reporting import FeedbackStatus

FEEDBACK: Lifecycle[FeedbackStatus] = Lifecycle(
    "feedback",
    {("invited", "given"): {Role.CLIENT}, ("given", "given"): {Role.CLIENT}},
)
