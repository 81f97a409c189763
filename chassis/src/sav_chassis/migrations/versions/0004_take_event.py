"""Begins a reaction in one round trip: locks the aggregate, looks for parked events, writes the inbox."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    # A function, not one statement: each of its queries sees what was committed while it waited for the lock.
    op.execute(
        """CREATE FUNCTION take_event(
            handler text, event_id uuid, subject uuid, parked boolean, OUT held_back boolean, OUT is_new boolean)
        LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock(hashtextextended(subject::text, 0));
            held_back := NOT parked AND EXISTS (
                SELECT FROM task WHERE task.use = 'parked' AND task.lane = subject);
            is_new := false;
            IF NOT held_back THEN
                INSERT INTO handled (handler, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;
                is_new := FOUND;
            END IF;
        END $$"""
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION take_event")
