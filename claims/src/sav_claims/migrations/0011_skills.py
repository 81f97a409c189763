"""What the technician of a réclamation has to be able to do."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE reclamation ADD COLUMN skills_needed json NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    op.execute("ALTER TABLE reclamation DROP COLUMN skills_needed")
