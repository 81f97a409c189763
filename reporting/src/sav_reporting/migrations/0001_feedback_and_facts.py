"""Feedback, and the facts that reports are computed from."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute(
        """CREATE TABLE feedback (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, client_id uuid NOT NULL, technician_id uuid NOT NULL,
            intervention_id uuid NOT NULL UNIQUE, reclamation_id uuid NOT NULL, status text NOT NULL,
            rating bigint CHECK (rating BETWEEN 1 AND 5), recommend bigint CHECK (recommend BETWEEN 0 AND 10),
            comment text, contact_me boolean NOT NULL, open_until timestamptz NOT NULL)"""
    )
    op.execute("CREATE INDEX feedback_reclamation ON feedback (reclamation_id)")
    op.execute(
        """CREATE TABLE reclamation_fact (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL, client_id uuid NOT NULL,
            technician_id uuid, status text NOT NULL, open boolean NOT NULL, problem_type text NOT NULL,
            priority text NOT NULL, coverage text NOT NULL, qualified_at timestamptz, resolved_at timestamptz)"""
    )
    op.execute(
        "CREATE INDEX reclamation_fact_opened ON reclamation_fact (((created_at AT TIME ZONE 'UTC')::date))"
    )
    op.execute(
        """CREATE TABLE visit_fact (
            id uuid PRIMARY KEY, version bigint NOT NULL, reclamation_id uuid NOT NULL, client_id uuid NOT NULL,
            technician_id uuid NOT NULL, status text NOT NULL, closed_at timestamptz)"""
    )
    op.execute("CREATE INDEX visit_fact_reclamation ON visit_fact (reclamation_id)")
    op.execute(
        """CREATE TABLE invoice_fact (
            id uuid PRIMARY KEY, version bigint NOT NULL, reclamation_id uuid, client_id uuid NOT NULL,
            status text NOT NULL, total numeric NOT NULL, paid numeric NOT NULL)"""
    )
    op.execute("CREATE INDEX invoice_fact_reclamation ON invoice_fact (reclamation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE invoice_fact, visit_fact, reclamation_fact, feedback")
