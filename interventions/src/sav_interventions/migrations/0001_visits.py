"""Technicians and interventions."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE technician (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, name text NOT NULL, active boolean NOT NULL)"""
    )
    op.execute(
        """CREATE TABLE intervention (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, client_id uuid NOT NULL, technician_id uuid NOT NULL,
            reclamation_id uuid NOT NULL, reclamation_reference text NOT NULL, status text NOT NULL,
            planned json, reason text, assignment bigint NOT NULL)"""
    )
    # One open visit for each réclamation, also under concurrent transactions.
    op.execute(
        """CREATE UNIQUE INDEX intervention_open ON intervention (reclamation_id)
        WHERE status NOT IN ('declined', 'completed', 'incomplete', 'no_access', 'cancelled')"""
    )
    op.execute("CREATE INDEX ix_intervention_reclamation_id ON intervention (reclamation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE intervention, technician")
