"""Photos of visits; reports name some, and are printed once they are submitted."""

from alembic import op

revision = "0012"
down_revision = "0011"

# Inserts what `tx.later` would write: reports that were submitted before are printed at the next start.
PRINT = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'effect', 'print_report ' || id, id, now(),
    json_build_object('id', gen_random_uuid(), 'function', 'print_report', 'about', id,
        'correlation_id', (SELECT gen_random_uuid() OFFSET 0))::text,
    '{}'
FROM report WHERE submitted_at IS NOT NULL
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(
        """CREATE TABLE visit_photo (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, intervention_id uuid NOT NULL, reclamation_id uuid,
            file json NOT NULL, by text NOT NULL, shown boolean NOT NULL)"""
    )
    op.execute("CREATE INDEX ix_visit_photo_intervention_id ON visit_photo (intervention_id)")
    op.execute(
        """ALTER TABLE report
            ADD COLUMN photos json NOT NULL DEFAULT '[]', ADD COLUMN submitted_at timestamptz,
            ADD COLUMN document json"""
    )
    # When those were submitted is in their events; the last change is the nearest that is known here.
    op.execute(
        "UPDATE report SET submitted_at = updated_at WHERE status IN ('submitted', 'validated', 'archived')"
    )
    op.execute(PRINT)


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE use = 'effect' AND key LIKE 'print_report %'")
    op.execute("DROP TABLE visit_photo")
    op.execute("ALTER TABLE report DROP COLUMN photos, DROP COLUMN submitted_at, DROP COLUMN document")
