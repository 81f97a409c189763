"""The clocks of a réclamation. Those of what is open are set when auth announces their policy."""

from alembic import op

revision = "0009"
down_revision = "0008"

OVER = "('closed', 'cancelled', 'rejected', 'merged')"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE reclamation
            ADD COLUMN clocks json NOT NULL DEFAULT '{}', ADD COLUMN clocks_policy bigint NOT NULL DEFAULT 0"""
    )
    # Whether they were answered in time, nobody noted; what left its first state was answered.
    op.execute(
        f"""UPDATE reclamation SET clocks = json_strip_nulls(json_build_object(
            'respond', json_build_object('met_at', updated_at),
            'resolve', CASE WHEN status IN ('resolved', 'closed') THEN json_build_object('met_at', updated_at) END,
            'ended_at', CASE WHEN status IN {OVER} THEN updated_at END))
        WHERE status <> 'submitted'"""
    )
    op.execute(
        f"CREATE INDEX reclamation_clocks ON reclamation (clocks_policy, id) WHERE status NOT IN {OVER}"
    )


def downgrade() -> None:
    op.execute("DROP INDEX reclamation_clocks")
    op.execute("ALTER TABLE reclamation DROP COLUMN clocks, DROP COLUMN clocks_policy")
