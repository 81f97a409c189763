"""Working hours from a day on, and absences."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE working_hours ADD COLUMN effective_from date, ADD COLUMN planned json NOT NULL DEFAULT '[]'"""
    )
    op.execute(
        """CREATE TABLE absence (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, technician_id uuid NOT NULL, start timestamptz NOT NULL,
            "end" timestamptz NOT NULL, cause text NOT NULL, note text, status text NOT NULL,
            CONSTRAINT absence_ends_after_it_starts CHECK ("end" > start))"""
    )
    op.execute(
        """CREATE INDEX absence_technician ON absence (technician_id, "end") WHERE status = 'planned'"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE absence")
    op.execute("ALTER TABLE working_hours DROP COLUMN effective_from, DROP COLUMN planned")
