"""Orders of parts."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE parts_order_reference")
    op.execute(
        """CREATE TABLE parts_order (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, reference text NOT NULL UNIQUE, purpose text NOT NULL,
            client_id uuid NOT NULL REFERENCES client, technician_id uuid,
            reclamation_id uuid REFERENCES reclamation, reclamation_reference text, lines json NOT NULL,
            currency text NOT NULL, status text NOT NULL, reason text,
            CHECK ((purpose = 'repair') = (reclamation_id IS NOT NULL)),
            CHECK ((purpose = 'repair') = (technician_id IS NOT NULL)))"""
    )
    op.execute(
        "CREATE INDEX parts_order_reclamation ON parts_order (reclamation_id) WHERE reclamation_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP TABLE parts_order")
    op.execute("DROP SEQUENCE parts_order_reference")
