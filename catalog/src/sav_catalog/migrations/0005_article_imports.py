"""Imports of articles."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE article_import (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, status text NOT NULL, dry_run boolean NOT NULL, file json NOT NULL,
            by_id uuid NOT NULL, lines bigint, checked bigint NOT NULL, imported bigint NOT NULL, added bigint NOT NULL,
            updated bigint NOT NULL, unchanged bigint NOT NULL, wrong bigint NOT NULL, report json)"""
    )
    # The imports that are not over: few of all.
    op.execute(
        """CREATE INDEX article_import_open ON article_import (created_at)
        WHERE status IN ('queued', 'checking', 'running')"""
    )
    # Lines that are checked and not imported yet; a line that is done leaves. `step` puts those that name other
    # articles after these. `fields` and `parts` (references, NULL where the file does not say) are JSON. No foreign key:
    # an import is never deleted, and checking it for each line would cost as much as the line.
    op.execute(
        """CREATE TABLE article_import_line (
            import_id uuid NOT NULL, reference text NOT NULL, line bigint NOT NULL,
            step smallint NOT NULL, verdict text NOT NULL, fields text NOT NULL, parts text,
            PRIMARY KEY (import_id, reference))"""
    )
    op.execute("CREATE INDEX article_import_line_next ON article_import_line (import_id, step, line)")
    # What is wrong, until the report is written: `name` is the column's, `place` its number.
    op.execute(
        """CREATE TABLE article_import_fault (
            import_id uuid NOT NULL, line bigint NOT NULL, place bigint NOT NULL,
            name text NOT NULL, value text NOT NULL, en text NOT NULL, fr text NOT NULL,
            PRIMARY KEY (import_id, line, place))"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE article_import_fault, article_import_line, article_import")
