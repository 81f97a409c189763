"""Visits without a réclamation: planned by hand, with a reference of their own."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE intervention_reference")
    op.execute(
        """ALTER TABLE intervention
            ALTER reclamation_id DROP NOT NULL, ALTER reclamation_reference DROP NOT NULL,
            ADD reference text, ADD article text, ADD by_hand boolean NOT NULL DEFAULT false,
            ADD CONSTRAINT intervention_called CHECK ((reclamation_id IS NULL) = (reference IS NOT NULL))"""
    )
    op.execute("CREATE INDEX ix_intervention_reference ON intervention (reference)")
    op.execute("ALTER TABLE report ALTER reclamation_id DROP NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE report ALTER reclamation_id SET NOT NULL")
    op.execute(
        """ALTER TABLE intervention DROP CONSTRAINT intervention_called, DROP by_hand, DROP article, DROP reference,
            ALTER reclamation_id SET NOT NULL, ALTER reclamation_reference SET NOT NULL"""
    )
    op.execute("DROP SEQUENCE intervention_reference")
