"""Recent changes, for the listeners of the stream."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # The columns of a view that decide who sees it. `at` is when the position was allocated, not when it was committed.
    op.execute(
        """CREATE TABLE change (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
            kind text NOT NULL, id uuid NOT NULL, version bigint NOT NULL, parent uuid, user_id uuid, client_id uuid,
            technician_id uuid, doc_client boolean)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE change")
