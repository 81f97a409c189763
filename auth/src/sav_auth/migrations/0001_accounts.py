"""Accounts, grants, login attempts."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE account (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, email text NOT NULL UNIQUE, name text NOT NULL, role text NOT NULL,
            locale text NOT NULL, status text NOT NULL, password_hash text)"""
    )
    op.execute(
        """CREATE TABLE "grant" (
            id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES account, purpose text NOT NULL,
            expires_at timestamptz NOT NULL, used_at timestamptz)"""
    )
    op.execute(
        """CREATE TABLE login_attempt (
            id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES account, session_id uuid,
            at timestamptz NOT NULL, succeeded boolean NOT NULL)"""
    )
    op.execute("CREATE INDEX login_attempt_recent ON login_attempt (account_id, at)")


def downgrade() -> None:
    op.execute('DROP TABLE login_attempt, "grant", account')
