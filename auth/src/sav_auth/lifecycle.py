"""The states of an account."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import Role
from sav_contracts.auth import AccountStatus

# Whoever holds the invitation's link is the person, whatever their token says.
ACCOUNT: Lifecycle[AccountStatus] = Lifecycle("account", {("invited", "active"): set(Role)})
