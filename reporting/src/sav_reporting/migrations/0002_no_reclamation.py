"""Visits and feedback without a réclamation."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE feedback ALTER reclamation_id DROP NOT NULL")
    op.execute("ALTER TABLE visit_fact ALTER reclamation_id DROP NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE visit_fact ALTER reclamation_id SET NOT NULL")
    op.execute("ALTER TABLE feedback ALTER reclamation_id SET NOT NULL")
