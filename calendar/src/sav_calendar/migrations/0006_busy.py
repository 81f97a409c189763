"""What a technician is busy with: a visit and the way to the next one. The exclusion constraint keeps these apart."""

from alembic import op

revision = "0006"
down_revision = "0005"

# As the policy in force says, or else its default.
TRAVEL = """
    SELECT make_interval(mins => coalesce(
        (SELECT (doc -> 'value' ->> 'travel_minutes')::int FROM view WHERE kind = 'policy' AND doc ->> 'name' = 'buffers'),
        30)) AS travel
"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE appointment ADD travel interval, ADD busy_until timestamptz, ADD closer text, ADD place uuid,
        ADD missed_by text, ADD offered_for uuid"""
    )
    # Those that were planned closer keep their times: for the way there is what is left until the next one.
    op.execute(
        f"""WITH usual AS ({TRAVEL}), busy AS (
            SELECT id, travel, least("end" + travel, next) AS until FROM usual, (
                SELECT id, "end", CASE WHEN status IN ('held', 'booked') THEN lead(start) OVER (
                    PARTITION BY technician_id, status IN ('held', 'booked') ORDER BY start) END AS next
                FROM appointment) AS following
        ) UPDATE appointment SET travel = busy.travel, busy_until = busy.until FROM busy WHERE busy.id = appointment.id"""
    )
    op.execute("UPDATE appointment SET missed_by = 'client' WHERE status = 'no_show'")
    op.execute(
        """ALTER TABLE appointment ALTER travel SET NOT NULL, ALTER busy_until SET NOT NULL,
        ADD busy tstzrange NOT NULL GENERATED ALWAYS AS (tstzrange(start, busy_until)) STORED,
        ADD CONSTRAINT appointment_is_busy_until_its_end CHECK (busy_until >= "end"),
        DROP CONSTRAINT appointment_overlap"""
    )
    op.execute(
        """ALTER TABLE appointment ADD CONSTRAINT appointment_overlap
        EXCLUDE USING gist (technician_id WITH =, busy WITH &&) WHERE (status IN ('held', 'booked'))"""
    )
    # An earlier time is offered beside the one that is booked.
    op.execute("DROP INDEX appointment_standing")
    op.execute(
        """CREATE UNIQUE INDEX appointment_standing ON appointment (reclamation_id)
        WHERE status IN ('held', 'booked') AND offered_for IS NULL"""
    )
    op.execute(
        """CREATE TABLE earlier_visit (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
            client_id uuid NOT NULL, reclamation_id uuid NOT NULL UNIQUE, reclamation_reference text NOT NULL,
            status text NOT NULL, asked_at timestamptz NOT NULL, offer_id uuid, offered json, offered_until timestamptz,
            zone text NOT NULL)"""
    )
    op.execute("CREATE INDEX earlier_visit_waiting ON earlier_visit (asked_at) WHERE status = 'waiting'")


def downgrade() -> None:
    op.execute("DROP TABLE earlier_visit")
    op.execute("DELETE FROM appointment WHERE offered_for IS NOT NULL")
    op.execute("DROP INDEX appointment_standing")
    op.execute("ALTER TABLE appointment DROP CONSTRAINT appointment_overlap, DROP busy, DROP offered_for")
    op.execute(
        """ALTER TABLE appointment DROP travel, DROP busy_until, DROP closer, DROP place, DROP missed_by,
        ADD CONSTRAINT appointment_overlap EXCLUDE USING gist (technician_id WITH =, tstzrange(start, "end") WITH &&)
        WHERE (status IN ('held', 'booked'))"""
    )
    op.execute(
        """CREATE UNIQUE INDEX appointment_standing ON appointment (reclamation_id) WHERE status IN ('held', 'booked')"""
    )
