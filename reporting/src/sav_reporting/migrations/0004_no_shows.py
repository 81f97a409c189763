"""Who did not come to a visit. `./sav replay rebuild reporting` reads the appointments of before."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE appointment_fact (
            id uuid PRIMARY KEY, version bigint NOT NULL, reclamation_id uuid, client_id uuid NOT NULL,
            technician_id uuid NOT NULL, missed_by text)"""
    )
    op.execute(
        """CREATE INDEX appointment_fact_missed ON appointment_fact (reclamation_id)
        WHERE missed_by = 'technician'"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE appointment_fact")
