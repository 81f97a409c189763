"""Working hours, appointments, conflicts."""

from alembic import op

revision = "0001"
down_revision = None

AGGREGATE = """
    id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL
"""


def upgrade() -> None:
    # One index needs = on a uuid and && on a range. A trusted extension, so the database's owner may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(
        f"""CREATE TABLE working_hours ({AGGREGATE},
            technician_id uuid NOT NULL UNIQUE, zone text NOT NULL, holidays text NOT NULL, shifts json NOT NULL)"""
    )
    # The exclusion constraint keeps a technician's visits from overlapping, also under concurrent transactions.
    op.execute(
        f"""CREATE TABLE appointment ({AGGREGATE},
            client_id uuid NOT NULL, technician_id uuid NOT NULL, reclamation_id uuid NOT NULL,
            reclamation_reference text NOT NULL, intervention_id uuid, start timestamptz NOT NULL,
            "end" timestamptz NOT NULL, zone text NOT NULL, status text NOT NULL, held_until timestamptz,
            uid text NOT NULL UNIQUE, sequence bigint NOT NULL, reason text,
            CONSTRAINT appointment_ends_after_it_starts CHECK ("end" > start),
            CONSTRAINT appointment_overlap EXCLUDE USING gist (technician_id WITH =, tstzrange(start, "end") WITH &&)
                WHERE (status IN ('held', 'booked')))"""
    )
    # A réclamation has one visit at a time.
    op.execute(
        """CREATE UNIQUE INDEX appointment_standing ON appointment (reclamation_id)
        WHERE status IN ('held', 'booked')"""
    )
    op.execute("CREATE INDEX appointment_intervention ON appointment (intervention_id)")
    op.execute(
        f"""CREATE TABLE conflict ({AGGREGATE},
            technician_id uuid NOT NULL, reclamation_id uuid NOT NULL, reclamation_reference text NOT NULL,
            intervention_id uuid, problem text NOT NULL, wanted json NOT NULL, proposals json NOT NULL,
            status text NOT NULL)"""
    )
    op.execute("CREATE INDEX conflict_reclamation ON conflict (reclamation_id) WHERE status = 'open'")
    op.execute("CREATE INDEX conflict_intervention ON conflict (intervention_id) WHERE status = 'open'")


def downgrade() -> None:
    op.execute("DROP TABLE conflict, appointment, working_hours")
