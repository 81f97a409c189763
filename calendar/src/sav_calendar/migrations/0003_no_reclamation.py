"""Times of visits without a réclamation."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in ("appointment", "conflict"):
        op.execute(
            f"ALTER TABLE {table} ALTER reclamation_id DROP NOT NULL, ALTER reclamation_reference DROP NOT NULL"
        )
        op.execute(
            f"""ALTER TABLE {table} ADD CONSTRAINT {table}_is_for_something
            CHECK (reclamation_id IS NOT NULL OR intervention_id IS NOT NULL)"""
        )
    # Such a visit has one time, as a réclamation has.
    op.execute(
        """CREATE UNIQUE INDEX appointment_standing_for_visit ON appointment (intervention_id)
        WHERE status IN ('held', 'booked') AND reclamation_id IS NULL"""
    )


def downgrade() -> None:
    op.execute("DROP INDEX appointment_standing_for_visit")
    for table in ("appointment", "conflict"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_is_for_something")
        op.execute(
            f"ALTER TABLE {table} ALTER reclamation_id SET NOT NULL, ALTER reclamation_reference SET NOT NULL"
        )
