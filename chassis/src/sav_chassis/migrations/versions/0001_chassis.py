"""The chassis' tables, in every room's database."""

from alembic import op

revision = "0001"
down_revision = None

EVENT = """
    id uuid NOT NULL,
    type text NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    subject uuid NOT NULL,
    sequence bigint NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid,
    actor_id uuid NOT NULL,
    actor_role text NOT NULL,
    traceparent text,
    body text NOT NULL,
    persons uuid[] NOT NULL
"""


def upgrade() -> None:
    # The event log: every event of this service. Append-only.
    op.execute(
        f"""CREATE TABLE event_log (
            position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {EVENT},
            UNIQUE (id), UNIQUE (subject, sequence))"""
    )
    # The events that the relay has still to publish.
    op.execute("CREATE TABLE outbox (position bigint PRIMARY KEY REFERENCES event_log)")
    # The inbox: which handler has handled which event, in what order, and why where it did nothing. `at` gives the
    # order: it is read under the aggregate's lock.
    op.execute(
        """CREATE TABLE handled (
            handler text NOT NULL, event_id uuid NOT NULL, outcome text,
            at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (handler, event_id))"""
    )
    # Replies to commands, for callers who repeat one with the same key.
    op.execute(
        """CREATE TABLE answered (
            actor_id uuid NOT NULL, command text NOT NULL, key text NOT NULL, fingerprint bytea NOT NULL,
            answer text, persons uuid[] NOT NULL, at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (actor_id, command, key))"""
    )
    op.execute("CREATE INDEX answered_at ON answered (at)")
    # Tasks for later; tasks of one `lane` stay in order.
    op.execute(
        """CREATE TABLE task (
            position bigint GENERATED ALWAYS AS IDENTITY, use text NOT NULL, key text NOT NULL, lane uuid NOT NULL,
            due timestamptz NOT NULL, since timestamptz NOT NULL DEFAULT now(), attempts int NOT NULL DEFAULT 0,
            leased_until timestamptz, state text NOT NULL DEFAULT 'waiting', error text, message text NOT NULL,
            persons uuid[] NOT NULL, PRIMARY KEY (use, key))"""
    )
    op.execute("CREATE INDEX task_lane ON task (use, lane, position)")
    op.execute("CREATE INDEX task_due ON task (use, due) WHERE state = 'waiting'")
    # The newest known view of each record: the edge's read model, and a service's copies of other services' records.
    op.execute(
        """CREATE TABLE view (
            kind text NOT NULL, id uuid NOT NULL, version bigint NOT NULL, parent uuid, user_id uuid, client_id uuid,
            technician_id uuid, status text, open boolean NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, doc json NOT NULL, doc_client json, PRIMARY KEY (kind, id))"""
    )
    op.execute("CREATE INDEX view_newest ON view (kind, created_at DESC, id DESC)")
    op.execute("CREATE INDEX view_client ON view (client_id, kind, created_at DESC, id DESC)")
    op.execute("CREATE INDEX view_technician ON view (technician_id, kind, created_at DESC, id DESC)")


def downgrade() -> None:
    op.execute("DROP TABLE view, task, answered, handled, outbox, event_log")
