"""Clients without an e-mail address; links that make an address another one; from where people signed in."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE account ALTER email DROP NOT NULL")
    op.execute('ALTER TABLE "grant" ADD email text')
    op.execute(
        "CREATE INDEX login_attempt_signed_in ON login_attempt (account_id) WHERE result = 'signed_in'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX login_attempt_signed_in")
    op.execute('ALTER TABLE "grant" DROP email')
    op.execute("UPDATE account SET email = id::text WHERE email IS NULL")
    op.execute("ALTER TABLE account ALTER email SET NOT NULL")
