"""Clients and réclamations."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE reclamation_reference")
    op.execute(
        """CREATE TABLE client (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, name text NOT NULL, email text NOT NULL, locale text NOT NULL)"""
    )
    op.execute(
        """CREATE TABLE reclamation (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, reference text NOT NULL UNIQUE,
            client_id uuid NOT NULL REFERENCES client, technician_id uuid, article text NOT NULL,
            problem_type text NOT NULL, description text NOT NULL, safety_answers json NOT NULL,
            priority text NOT NULL, priority_reason text NOT NULL, coverage text NOT NULL, assignment bigint NOT NULL,
            status text NOT NULL)"""
    )
    op.execute("CREATE INDEX reclamation_client ON reclamation (client_id)")


def downgrade() -> None:
    op.execute("DROP TABLE reclamation, client")
    op.execute("DROP SEQUENCE reclamation_reference")
