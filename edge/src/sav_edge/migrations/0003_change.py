"""What has changed lately, for those who listen."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # As much of a view as it takes to say who sees it. `at` is when the position was given, not when it was committed.
    op.execute(
        """CREATE TABLE change (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
            kind text NOT NULL, id uuid NOT NULL, version bigint NOT NULL, parent uuid, user_id uuid, client_id uuid,
            technician_id uuid, doc_client boolean)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE change")
