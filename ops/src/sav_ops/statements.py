"""The SQL of ops about a service's log, inbox and tasks; only `verify`, which compares whole tables, has more.

`sav_chassis.telemetry.metrics.look` counts what waits in the outbox and among the tasks.
"""

# The log.
_THOSE = "FROM event_log WHERE position > $1 AND ($2::text[] IS NULL OR type = ANY($2))"
EVENTS = f"SELECT * {_THOSE} ORDER BY position"
NUMBER_OF_EVENTS = f"SELECT count(*) {_THOSE}"
END_OF_LOG = "SELECT coalesce(max(position), 0) FROM event_log"
LOG_IS_STILL_FOR = "SELECT extract(epoch FROM now() - max(at)) FROM event_log"
# A transaction with this lock may still commit a lower position than those already visible.
WRITERS = """
SELECT virtualtransaction FROM pg_locks
WHERE relation = 'event_log'::regclass AND mode = 'RowExclusiveLock' AND granted AND pid <> pg_backend_pid()
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
EVENTS_LIKE = """
SELECT * FROM event_log
WHERE ($1::text IS NULL OR lower(type) LIKE $1 || '%' OR lower(split_part(type, '.', 2)) LIKE $1 || '%')
    AND ($2::uuid IS NULL OR subject BETWEEN $2 AND $3)
    AND ($4::uuid[] IS NULL OR subject = ANY($4))
    AND ($5::uuid IS NULL OR correlation_id BETWEEN $5 AND $6)
    AND ($7::timestamptz IS NULL OR at >= $7)
ORDER BY position DESC LIMIT $8"""
EVENT = "SELECT * FROM event_log WHERE id BETWEEN $1 AND $2 LIMIT 2"
CAUSED = "SELECT * FROM event_log WHERE causation_id = $1 ORDER BY position"
CONVERSATION = "SELECT id, type, at FROM event_log WHERE correlation_id = $1 ORDER BY position"
LATER_OF_RECORD = """
SELECT l.id FROM event_log e JOIN event_log l ON l.subject = e.subject AND l.sequence > e.sequence WHERE e.id = $1"""
# After a restore, versions continue above a floor: the seconds since 1970 exceed every version, and differ between
# restores.
RAISE_FLOOR = """
INSERT INTO restored (floor, position)
SELECT greatest($1, (SELECT coalesce(max(sequence), 0) FROM event_log)), coalesce(max(position), 0) FROM event_log"""

# The inbox.
_DONE = "SELECT handler, event_id, outcome, at FROM handled WHERE"
DONE = f"{_DONE} event_id = ANY($1)"
GIVEN_UP = f"{_DONE} starts_with(outcome, $1) ORDER BY at"
# A timer or an effect has no event: its row has the id of its record, and it may be given up a second time.
GIVE_UP = """
INSERT INTO handled (handler, event_id, outcome) VALUES ($1, $2, $3)
ON CONFLICT (handler, event_id) DO UPDATE SET outcome = excluded.outcome, at = excluded.at"""
TAKE_BACK = "DELETE FROM handled WHERE handler = $1 AND event_id = $2"

# The tasks. A parked event waits behind every earlier one of its record; timers and effects wait for none.
TASKS = """
SELECT use, key, lane, attempts, state, error, due - now() AS due, now() - since AS waited,
    coalesce(leased_until > now(), false) AS in_hand,
    CASE use WHEN 'parked' THEN message::json ->> 'type' END AS type,
    CASE use WHEN 'parked' THEN (message::json ->> 'at')::timestamptz END AS at,
    CASE use WHEN 'parked' THEN message::json ->> 'kind'
        ELSE (SELECT kind FROM event_log e WHERE e.subject = t.lane LIMIT 1) END AS kind,
    use = 'parked' AND EXISTS (
        SELECT 1 FROM task b WHERE b.use = t.use AND b.lane = t.lane AND b.position < t.position) AS is_behind,
    message::json ->> 'correlation_id' AS conversation
FROM task t ORDER BY position"""
TASK = """
SELECT position, message, error, coalesce(leased_until > now(), false) AS in_hand
FROM task WHERE use = $1 AND key = $2"""
LOCKED_TASK = f"{TASK} FOR UPDATE"
BEHIND = "SELECT message FROM task WHERE use = 'parked' AND lane = $1 AND position > $2 ORDER BY position"
PARKED = "SELECT key::uuid, state, attempts FROM task WHERE use = 'parked' AND key = ANY($1::uuid[]::text[])"
_AGAIN = "UPDATE task SET state = 'waiting', due = now(), leased_until = NULL, attempts = 0, since = now()"
# A task with a running lease is not released: a second worker would do an effect twice.
RELEASE = f"""
{_AGAIN} WHERE (use, key) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND coalesce(leased_until, now()) <= now()
RETURNING use, key"""
# After a skip: the other reactions to the event, which did not run yet, are tried now.
GO_ON = f"{_AGAIN}, error = NULL WHERE use = $1 AND key = $2"
END_TASK = "DELETE FROM task WHERE use = $1 AND key = $2"
