"""Secret addresses of calendars with their texts; visits that a client confirmed; reminders of visits to come."""

from alembic import op

revision = "0008"
down_revision = "0007"

# What `tx.remind` would write for each visit that is booked already.
REMIND = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', '{timer} ' || id, id, due,
    json_build_object('id', gen_random_uuid(), 'function', '{timer}', 'about', id,
        'correlation_id', gen_random_uuid())::text,
    '{{}}'
FROM (SELECT id, {due} AS due FROM appointment WHERE status = 'booked') AS booked
WHERE due > now()
ON CONFLICT DO NOTHING"""
DUE = {
    "remind_the_day_before": "((start AT TIME ZONE zone)::date - 1 + time '07:00') AT TIME ZONE zone",
    "remind_two_hours_before": "start - interval '2 hours'",
}


def upgrade() -> None:
    op.execute("ALTER TABLE appointment ADD confirmed_start timestamptz")
    op.execute(
        """CREATE TABLE calendar_subscription (
            person_id uuid PRIMARY KEY, grant_id uuid NOT NULL UNIQUE, language text NOT NULL)"""
    )
    op.execute(
        """CREATE TABLE feed_text (
            person_id uuid NOT NULL, appointment_id uuid NOT NULL, version bigint NOT NULL,
            ends timestamptz NOT NULL, zone text NOT NULL, text text NOT NULL,
            PRIMARY KEY (person_id, appointment_id))"""
    )
    op.execute("CREATE INDEX feed_text_appointment ON feed_text (appointment_id)")
    # All appointments of somebody who subscribes; the exclusion constraint's index has only those that take time.
    op.execute("CREATE INDEX appointment_client ON appointment (client_id)")
    op.execute("CREATE INDEX appointment_technician ON appointment (technician_id)")
    for timer, due in DUE.items():
        op.execute(REMIND.format(timer=timer, due=due))


def downgrade() -> None:
    for timer in DUE:
        op.execute(f"DELETE FROM task WHERE use = 'timer' AND key LIKE '{timer} %'")
    op.execute("DROP INDEX appointment_client")
    op.execute("DROP INDEX appointment_technician")
    op.execute("DROP TABLE feed_text, calendar_subscription")
    op.execute("ALTER TABLE appointment DROP confirmed_start")
