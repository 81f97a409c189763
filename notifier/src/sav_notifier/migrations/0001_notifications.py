"""Messages to people."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE notification (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, user_id uuid NOT NULL, category text NOT NULL, channel text NOT NULL,
            template text NOT NULL, locale text NOT NULL, event_id uuid NOT NULL, about_kind text NOT NULL,
            about_id uuid NOT NULL, about_version bigint NOT NULL, facts json NOT NULL, subject text NOT NULL,
            status text NOT NULL, reason text, attempts bigint NOT NULL, failing_since timestamptz,
            sent_at timestamptz, read_at timestamptz, UNIQUE (event_id, user_id, channel))"""
    )
    op.execute("CREATE INDEX notification_about ON notification (about_id, template)")
    # For recipients by role: all managers.
    op.execute("CREATE INDEX view_account ON view ((doc ->> 'role')) WHERE kind = 'account'")


def downgrade() -> None:
    op.execute("DROP INDEX view_account")
    op.execute("DROP TABLE notification")
