"""The moves of a visit as they happened, and what was answered to each act of a telephone."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE intervention ADD COLUMN acts json NOT NULL DEFAULT '[]'")
    op.execute(
        """CREATE TABLE answered_act (
            technician_id uuid NOT NULL, id uuid NOT NULL, fingerprint bytea NOT NULL, outcome json NOT NULL,
            answered_at timestamptz NOT NULL, PRIMARY KEY (technician_id, id))"""
    )
    op.execute(
        """CREATE TABLE signature (
            intervention_id uuid NOT NULL REFERENCES intervention, sha256 text NOT NULL, file json NOT NULL,
            kept_at timestamptz NOT NULL, PRIMARY KEY (intervention_id, sha256))"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE signature")
    op.execute("DROP TABLE answered_act")
    op.execute("ALTER TABLE intervention DROP COLUMN acts")
