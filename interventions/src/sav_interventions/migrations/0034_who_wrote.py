"""Who wrote a report in place of its technician."""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.execute("ALTER TABLE report ADD written_by_id uuid")


def downgrade() -> None:
    op.execute("ALTER TABLE report DROP written_by_id")
