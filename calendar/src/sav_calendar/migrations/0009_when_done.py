"""When visits took place. Those that did not take place leave the feeds of telephones."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("ALTER TABLE appointment ADD came_at timestamptz, ADD done_at timestamptz")
    op.execute(
        """DELETE FROM feed_text USING appointment
        WHERE appointment.id = feed_text.appointment_id AND appointment.status = 'no_show'"""
    )


def downgrade() -> None:
    op.execute("ALTER TABLE appointment DROP came_at, DROP done_at")
