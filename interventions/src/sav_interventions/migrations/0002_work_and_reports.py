"""Products, warranty and work of a visit; follow-up visits; reports."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE intervention
            ADD purpose text NOT NULL DEFAULT 'repair', ADD product_id uuid,
            ADD reported_on date NOT NULL DEFAULT current_date, ADD warranty json, ADD follows_id uuid,
            ADD closed_at timestamptz, ADD cause text, ADD work json"""
    )
    # Existing visits do not know the day of the fault; the day they were planned is the nearest known.
    op.execute("UPDATE intervention SET reported_on = created_at::date")
    op.execute("CREATE INDEX ix_intervention_product_id ON intervention (product_id)")
    op.execute("CREATE INDEX ix_intervention_follows_id ON intervention (follows_id)")
    op.execute(
        """CREATE TABLE report (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, intervention_id uuid NOT NULL, reclamation_id uuid NOT NULL,
            edition bigint NOT NULL, findings text NOT NULL, work_done text NOT NULL, recommendations text,
            signed_by text, signature json, signed_at timestamptz, signature_refused text,
            status text NOT NULL, reason text,
            UNIQUE (intervention_id, edition))"""
    )
    # One open edition for each visit, also under concurrent transactions.
    op.execute(
        """CREATE UNIQUE INDEX report_open ON report (intervention_id)
        WHERE status NOT IN ('validated', 'archived')"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE report")
    op.execute(
        """ALTER TABLE intervention DROP purpose, DROP product_id, DROP reported_on, DROP warranty,
            DROP follows_id, DROP closed_at, DROP cause, DROP work"""
    )
