"""Chains the log: each event's hash covers the one before. Nothing in the log changes, but bodies can be erased."""

from alembic import op
from sqlalchemy import text

revision = "0007"
down_revision = "0006"

PAGE = 1000


def upgrade() -> None:
    # The chain: `hash` is over the previous hash, the body's hash and all other fields of the event. `link` counts
    # without a gap, in the order in which the relay's leader took the events.
    op.execute(
        """CREATE TABLE event_chain (
            link bigint PRIMARY KEY, position bigint NOT NULL UNIQUE, body_hash bytea NOT NULL, hash bytea NOT NULL)"""
    )
    # A receipt for each blanked body: the hash of the new body, and the reason.
    op.execute(
        """CREATE TABLE erased (
            position bigint NOT NULL, body_hash bytea NOT NULL, why text NOT NULL,
            at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (position, body_hash))"""
    )
    op.execute(
        """CREATE FUNCTION body_hash(body text) RETURNS bytea LANGUAGE sql STABLE
        RETURN sha256(convert_to(body, 'UTF8'))"""
    )
    op.execute(
        """CREATE FUNCTION event_hash(before bytea, body_hash bytea, event event_log) RETURNS bytea LANGUAGE sql STABLE
        RETURN sha256(before || body_hash || convert_to(ROW(
            event.position, event.id, event.type, extract(epoch FROM event.at), event.kind, event.subject, event.sequence,
            event.correlation_id, event.causation_id, event.actor_id, event.actor_role, event.traceparent, event.persons
        )::text, 'UTF8'))"""
    )
    op.execute(
        """CREATE FUNCTION chain_events(positions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
        DECLARE
            last event_chain;
            event event_log;
        BEGIN
            SELECT * INTO last FROM event_chain ORDER BY link DESC LIMIT 1;
            IF NOT FOUND THEN
                last.link := 0;
                last.hash := '';
            END IF;
            FOR event IN
                SELECT l.* FROM event_log l WHERE l.position = ANY(positions)
                    AND NOT EXISTS (SELECT FROM event_chain c WHERE c.position = l.position) ORDER BY l.position
            LOOP
                last.link := last.link + 1;
                last.position := event.position;
                last.body_hash := body_hash(event.body);
                last.hash := event_hash(last.hash, last.body_hash, event);
                INSERT INTO event_chain VALUES (last.*);
            END LOOP;
        END $$"""
    )
    op.execute(
        """CREATE FUNCTION erase_body(erased_position bigint, blank text, why text) RETURNS void LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO erased (position, body_hash, why) VALUES (erased_position, body_hash(blank), why);
            UPDATE event_log SET body = blank WHERE position = erased_position;
        END $$"""
    )
    op.execute(
        """CREATE FUNCTION keep_log() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'event_log' THEN
                IF to_jsonb(NEW) - 'body' = to_jsonb(OLD) - 'body' AND EXISTS (
                    SELECT FROM erased WHERE position = NEW.position AND body_hash = body_hash(NEW.body))
                THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'what % holds is kept as it is: only a body that is erased changes, by erase_body', TG_TABLE_NAME;
        END $$"""
    )
    for table in ("event_log", "event_chain", "erased"):
        op.execute(
            f"CREATE TRIGGER kept BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep_log()"
        )
        op.execute(f"CREATE TRIGGER kept_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION keep_log()")
    _chain_what_is_there()


def _chain_what_is_there() -> None:
    """Chains existing events, some hundred at a time, without a time limit: the service does not run meanwhile."""
    connection = op.get_bind()
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    page = text(
        f"""SELECT array_agg(position ORDER BY position) FROM (
            SELECT position FROM event_log WHERE position > :last ORDER BY position LIMIT {PAGE}) page"""
    )
    last = 0
    while positions := connection.scalar(page, {"last": last}):
        connection.execute(text("SELECT chain_events(:positions)"), {"positions": positions})
        last = positions[-1]


def downgrade() -> None:
    op.execute("DROP TRIGGER kept ON event_log")
    op.execute("DROP TRIGGER kept_whole ON event_log")
    op.execute("DROP TABLE event_chain, erased")
    for function in ("keep_log()", "erase_body", "chain_events", "event_hash", "body_hash"):
        op.execute(f"DROP FUNCTION {function}")
