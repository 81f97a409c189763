"""Clients' e-mail addresses and telephone numbers in their canonical form."""

import json

from sav_chassis.canonical_rows import make_canonical
from sav_contracts import canonical

revision = "0004"
down_revision = "0003"


def phones(kept: str) -> str:
    """A JSON array of telephone numbers with each in its canonical form; unchanged where all are."""
    before = json.loads(kept)
    now = [canonical.or_itself(canonical.phone, phone) for phone in before]
    return kept if now == before else json.dumps(now)


def upgrade() -> None:
    # The canonical forms of today's types: a change of these needs its own migration.
    make_canonical("client", {"email": canonical.email, "phones": phones}, tell="tell_client")


def downgrade() -> None:
    """Nothing to do: the earlier spellings are lost, and the old code reads canonical ones too."""
