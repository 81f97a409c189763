"""The states of an account."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, Role
from sav_contracts.auth.account import AccountStatus

ACCOUNT: Lifecycle[AccountStatus] = Lifecycle(
    "account",
    {
        # Whoever holds the invitation's link is the person, whatever their token says.
        ("invited", "active"): set(Role),
        ("active", "deactivated"): MANAGERS,
        ("deactivated", "active"): MANAGERS,
    },
)
