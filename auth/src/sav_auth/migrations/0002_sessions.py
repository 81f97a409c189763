"""Sessions, second factors, where sign-in attempts came from; more columns of accounts."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE account ADD email_verified boolean NOT NULL DEFAULT false, ADD phone text,
            ADD time_zone text NOT NULL DEFAULT 'Europe/Paris'"""
    )
    # The first admin's grant has no account yet.
    op.execute(
        """ALTER TABLE "grant" ALTER account_id DROP NOT NULL,
            ADD created_at timestamptz NOT NULL DEFAULT now()"""
    )
    op.execute('CREATE INDEX grant_of_account ON "grant" (account_id, purpose)')
    op.execute(
        """CREATE TABLE session (
            id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES account, salt bytea NOT NULL,
            counter bigint NOT NULL, rotated_at timestamptz NOT NULL, created_at timestamptz NOT NULL,
            last_seen_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, address text, agent text,
            ended_at timestamptz, why text)"""
    )
    op.execute("CREATE INDEX session_open ON session (account_id) WHERE ended_at IS NULL")
    op.execute(
        """CREATE TABLE second_factor (
            account_id uuid PRIMARY KEY REFERENCES account, secret bytea NOT NULL, confirmed_at timestamptz,
            last_step bigint NOT NULL, recovery_used json NOT NULL)"""
    )
    op.execute(
        """CREATE TABLE wish (
            id uuid PRIMARY KEY, purpose text NOT NULL, email text NOT NULL)"""
    )
    op.execute(
        """ALTER TABLE login_attempt ALTER account_id DROP NOT NULL, ADD email_mac text, ADD result text,
            ADD address text, ADD agent text, ADD origin text"""
    )
    op.execute(
        "UPDATE login_attempt SET result = CASE WHEN succeeded THEN 'signed_in' ELSE 'wrong_password' END"
    )
    op.execute("ALTER TABLE login_attempt ALTER result SET NOT NULL, DROP succeeded")
    op.execute(
        "CREATE INDEX login_attempt_nobodys ON login_attempt (email_mac, at) WHERE email_mac IS NOT NULL"
    )
    op.execute("CREATE INDEX login_attempt_origin ON login_attempt (origin, at) WHERE origin IS NOT NULL")


def downgrade() -> None:
    op.execute("DELETE FROM login_attempt WHERE account_id IS NULL")
    op.execute("ALTER TABLE login_attempt ADD succeeded boolean")
    op.execute("UPDATE login_attempt SET succeeded = result = 'signed_in'")
    op.execute(
        """ALTER TABLE login_attempt ALTER account_id SET NOT NULL, ALTER succeeded SET NOT NULL,
            DROP email_mac, DROP result, DROP address, DROP agent, DROP origin"""
    )
    op.execute("DROP TABLE wish, second_factor, session")
    op.execute('DELETE FROM "grant" WHERE account_id IS NULL')
    op.execute("DROP INDEX grant_of_account")
    op.execute('ALTER TABLE "grant" ALTER account_id SET NOT NULL, DROP created_at')
    op.execute("ALTER TABLE account DROP email_verified, DROP phone, DROP time_zone")
