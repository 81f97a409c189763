"""The audit of requests, and the buckets of the rate limiter."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE request (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, request_id uuid NOT NULL,
            user_id uuid, role text NOT NULL, route text NOT NULL, status smallint NOT NULL, ms real NOT NULL,
            address text, reads boolean GENERATED ALWAYS AS (starts_with(route, 'GET ')) STORED)"""
    )
    # The first index serves deletion, where reads have an age of their own; the others serve searches.
    op.execute("CREATE INDEX request_at ON request (reads, at)")
    op.execute("CREATE INDEX request_user ON request (user_id, position) WHERE user_id IS NOT NULL")
    op.execute("CREATE INDEX request_id ON request (request_id)")
    # Unlogged: after a crash all counts begin anew, which costs less than writing each count twice.
    op.execute(
        """CREATE UNLOGGED TABLE bucket (
            key text PRIMARY KEY, level float8 NOT NULL, rate float8 NOT NULL, at timestamptz NOT NULL)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE request, bucket")
