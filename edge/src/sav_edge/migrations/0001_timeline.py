"""The timeline of every root."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE timeline (
            root uuid NOT NULL, event_id uuid NOT NULL, at timestamptz NOT NULL, kind text NOT NULL,
            subject uuid NOT NULL, doc json NOT NULL, doc_client json, PRIMARY KEY (root, at, event_id))"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE timeline")
