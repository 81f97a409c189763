"""Who could go instead of a technician who left; visits that had no time yet."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE conflict
            ADD COLUMN alternatives json NOT NULL DEFAULT '[]',
            ADD COLUMN no_time_yet boolean NOT NULL DEFAULT false"""
    )
    # What waits while a technician is away. Their appointments are found by the exclusion constraint's index.
    op.execute("CREATE INDEX conflict_technician ON conflict (technician_id) WHERE status = 'open'")


def downgrade() -> None:
    op.execute("DROP INDEX conflict_technician")
    op.execute("ALTER TABLE conflict DROP COLUMN alternatives, DROP COLUMN no_time_yet")
