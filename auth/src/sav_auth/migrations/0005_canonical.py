"""Addresses and telephone numbers in their canonical form."""

from sav_chassis.canonical_rows import make_canonical
from sav_contracts import canonical

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # The canonical forms of today's types: a change of these needs its own migration.
    forms = {"email": canonical.email, "phone": canonical.phone}
    make_canonical("account", forms, unique=["email"], tell="tell_account")
    make_canonical("grant", {"email": canonical.email})
    make_canonical("wish", {"email": canonical.email})


def downgrade() -> None:
    """Nothing to do: the earlier spellings are lost, and the old code reads canonical ones too."""
