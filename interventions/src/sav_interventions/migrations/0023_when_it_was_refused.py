"""When a client refused to sign a report. Of what is there already: where nothing of the report came after that."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.execute("ALTER TABLE report ADD signature_refused_at timestamptz")
    op.execute("UPDATE report SET signature_refused_at = last_at WHERE status = 'signature_refused'")


def downgrade() -> None:
    op.execute("ALTER TABLE report DROP signature_refused_at")
