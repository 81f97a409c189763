"""The outbox has no foreign key to the log: one statement writes both, and nothing is ever deleted from the log."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_position_fkey")


def downgrade() -> None:
    op.execute(
        "ALTER TABLE outbox ADD CONSTRAINT outbox_position_fkey FOREIGN KEY (position) REFERENCES event_log (position)"
    )
