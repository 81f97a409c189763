"""The parts list of a réclamation."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE reclamation
            ADD COLUMN parts json NOT NULL DEFAULT '[]', ADD COLUMN parts_edition bigint NOT NULL DEFAULT 0,
            ADD COLUMN parts_validated bigint NOT NULL DEFAULT 0,
            ADD COLUMN parts_awaited boolean NOT NULL DEFAULT false"""
    )


def downgrade() -> None:
    op.execute(
        """ALTER TABLE reclamation
            DROP COLUMN parts, DROP COLUMN parts_edition, DROP COLUMN parts_validated, DROP COLUMN parts_awaited"""
    )
