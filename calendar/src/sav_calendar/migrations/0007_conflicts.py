"""Conflicts of booked visits, with ranked proposals, and times offered to clients. Visits to come get their timers."""

from alembic import op

revision = "0007"
down_revision = "0006"

# Inserts what `tx.remind` would write.
REMIND = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'look_for_overrun ' || id, id, start,
    json_build_object('id', gen_random_uuid(), 'function', 'look_for_overrun', 'about', id,
        'correlation_id', gen_random_uuid())::text,
    '{}'
FROM appointment WHERE status = 'booked' AND start > now()
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE conflict
            ADD COLUMN ranked json NOT NULL DEFAULT '[]',
            ADD COLUMN appointment_id uuid,
            ADD COLUMN offered json NOT NULL DEFAULT '[]',
            ADD COLUMN offered_until timestamptz,
            ADD COLUMN offer_grant uuid UNIQUE,
            ADD COLUMN chosen bigint"""
    )
    op.execute("CREATE INDEX conflict_appointment ON conflict (appointment_id) WHERE status = 'open'")
    op.execute(REMIND)


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE use = 'timer' AND key LIKE 'look\\_for\\_overrun %'")
    op.execute("DROP INDEX conflict_appointment")
    op.execute(
        """ALTER TABLE conflict DROP COLUMN ranked, DROP COLUMN appointment_id, DROP COLUMN offered,
            DROP COLUMN offered_until, DROP COLUMN offer_grant, DROP COLUMN chosen"""
    )
