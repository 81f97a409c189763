"""When a réclamation was resolved and closed, what its client is asked, where it was merged, who left."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE reclamation
            ADD COLUMN resolved_at timestamptz, ADD COLUMN closed_at timestamptz, ADD COLUMN reason text,
            ADD COLUMN question text, ADD COLUMN before_waiting text, ADD COLUMN merged_into_id uuid,
            ADD COLUMN earlier_visit_id uuid, ADD COLUMN reopened_after bigint,
            ADD COLUMN needs_technician boolean NOT NULL DEFAULT false"""
    )
    # Nothing changed a réclamation after it was resolved but its closing, and nothing after that.
    op.execute("UPDATE reclamation SET resolved_at = updated_at WHERE resolution IS NOT NULL")
    op.execute("UPDATE reclamation SET closed_at = updated_at WHERE status = 'closed'")
    op.execute("CREATE INDEX reclamation_technician ON reclamation (technician_id, status)")


def downgrade() -> None:
    op.execute("DROP INDEX reclamation_technician")
    op.execute(
        """ALTER TABLE reclamation
            DROP COLUMN resolved_at, DROP COLUMN closed_at, DROP COLUMN reason, DROP COLUMN question,
            DROP COLUMN before_waiting, DROP COLUMN merged_into_id, DROP COLUMN earlier_visit_id,
            DROP COLUMN reopened_after,
            DROP COLUMN needs_technician"""
    )
