"""Late visits and calls for help. What is open already gets its timer."""

from alembic import op

revision = "0009"
down_revision = "0008"

FIND = """
UPDATE intervention SET late_at = (planned ->> 'end')::timestamptz
WHERE status IN ('planned', 'accepted', 'en_route', 'on_site') AND planned ->> 'end' IS NOT NULL"""
# Inserts what `tx.remind` would write.
REMIND = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'mark_late ' || id, id, late_at,
    json_build_object('id', gen_random_uuid(), 'function', 'mark_late', 'about', id,
        'correlation_id', gen_random_uuid())::text,
    '{}'
FROM intervention WHERE late_at IS NOT NULL
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE intervention
            ADD late_at timestamptz, ADD overdue boolean NOT NULL DEFAULT false, ADD lateness_cause text,
            ADD help_asked_at timestamptz, ADD help_asked_for text"""
    )
    op.execute(FIND)
    op.execute(REMIND)


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE use = 'timer' AND key LIKE 'mark\\_late %'")
    op.execute(
        """ALTER TABLE intervention DROP late_at, DROP overdue, DROP lateness_cause, DROP help_asked_at,
            DROP help_asked_for"""
    )
