"""Tasks of a visit and what it is about; attestations of services."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE intervention ADD COLUMN appliance json, ADD COLUMN tasks json NOT NULL DEFAULT '[]'"
    )
    op.execute(
        """CREATE TABLE attestation (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, intervention_id uuid NOT NULL UNIQUE, product_id uuid NOT NULL, reclamation_id uuid,
            serviced_on date NOT NULL, due_on date NOT NULL, status text NOT NULL, attested json, document json,
            made_at timestamptz)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE attestation")
    op.execute("ALTER TABLE intervention DROP COLUMN appliance, DROP COLUMN tasks")
