"""When work and reports were said and measured. Of what is there already: at the latest when it was last changed."""

from alembic import op

revision = "0019"
down_revision = "0016"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE intervention
            ADD work_at timestamptz, ADD work_since timestamptz, ADD measured_at timestamptz"""
    )
    op.execute("ALTER TABLE report ADD last_at timestamptz, ADD reads_since timestamptz")
    op.execute(
        """UPDATE intervention SET work_at = coalesce(done_at, updated_at), work_since = coalesce(done_at, updated_at),
            measured_at = CASE WHEN work ->> 'co_ppm' IS NOT NULL THEN coalesce(done_at, updated_at) END
        WHERE work IS NOT NULL"""
    )
    op.execute("UPDATE report SET last_at = updated_at, reads_since = coalesce(signed_at, updated_at)")


def downgrade() -> None:
    op.execute("ALTER TABLE intervention DROP work_at, DROP work_since, DROP measured_at")
    op.execute("ALTER TABLE report DROP last_at, DROP reads_since")
