"""The states of an account."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, Role
from sav_contracts.auth.account import AccountStatus

ACCOUNT: Lifecycle[AccountStatus] = Lifecycle(
    "account",
    {
        # The invitation's link proves who it is, whatever the caller's token says.
        ("invited", "active"): set(Role),
        # SAV itself removes the people of the demo.
        ("active", "deactivated"): MANAGERS | {Role.SYSTEM},
        ("deactivated", "active"): MANAGERS,
    },
)
