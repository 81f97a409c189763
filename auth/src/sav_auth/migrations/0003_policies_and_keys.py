"""Policies in force, and announced signing keys."""

from alembic import op

revision = "0003"
down_revision = "0002"

AGGREGATE = """id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL"""


def upgrade() -> None:
    op.execute(
        f"CREATE TABLE policy ({AGGREGATE}, name text NOT NULL UNIQUE, value json NOT NULL, changed_by uuid)"
    )
    op.execute(f"CREATE TABLE signing_key ({AGGREGATE}, key_id text NOT NULL UNIQUE, pem text NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE policy, signing_key")
