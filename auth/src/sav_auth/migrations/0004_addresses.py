"""Clients without an e-mail address; links that make an address another one."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE account ALTER email DROP NOT NULL")
    op.execute('ALTER TABLE "grant" ADD email text')


def downgrade() -> None:
    op.execute('ALTER TABLE "grant" DROP email')
    op.execute("UPDATE account SET email = id::text WHERE email IS NULL")
    op.execute("ALTER TABLE account ALTER email SET NOT NULL")
