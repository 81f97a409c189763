"""Clients without an e-mail address; links that change an address; where people signed in."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE account ALTER email DROP NOT NULL")
    op.execute('ALTER TABLE "grant" ADD email text')
    op.execute("ALTER TABLE login_attempt ADD place text")
    op.execute(
        """UPDATE login_attempt SET place = origin || ' ' || regexp_replace(coalesce(agent, ''), '[0-9.]+', '', 'g')
            WHERE result = 'signed_in'"""
    )
    op.execute(
        "CREATE INDEX login_attempt_signed_in ON login_attempt (account_id, place) WHERE result = 'signed_in'"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE login_attempt DROP place")
    op.execute('ALTER TABLE "grant" DROP email')
    op.execute("UPDATE account SET email = id::text WHERE email IS NULL")
    op.execute("ALTER TABLE account ALTER email SET NOT NULL")
