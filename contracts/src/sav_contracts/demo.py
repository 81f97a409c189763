"""The people of the demo. Their password is public, so they must never exist in production."""

from sav_contracts.actor import Role
from sav_contracts.auth.account import StaffRole

PASSWORD = "sav-demo-2026"
LEA = "lea@example.com"
STAFF: tuple[tuple[StaffRole, str, str], ...] = (
    (Role.TECHNICIAN, "karim@example.com", "Karim Haddad"),
    (Role.TECHNICIAN, "sofia@example.com", "Sofia Martin"),
    (Role.MANAGER, "marie@example.com", "Marie Laurent"),
    (Role.ADMIN, "alex@example.com", "Alex Dubois"),
)
ADDRESSES = frozenset({LEA, *(email for _, email, _ in STAFF)})
