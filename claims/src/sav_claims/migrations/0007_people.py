"""Notes about clients and how often they changed their name; comments, notes and saved filters."""

from alembic import op

revision = "0007"
down_revision = "0006"

WRITTEN = """
CREATE TABLE {table} (
    id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    reclamation_id uuid NOT NULL REFERENCES reclamation, by text NOT NULL, author_id uuid NOT NULL,
    author text NOT NULL, text text NOT NULL, mentions json NOT NULL)"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE client
            ADD COLUMN notes text, ADD COLUMN name_edition bigint NOT NULL DEFAULT 0,
            ADD COLUMN locale_edition bigint NOT NULL DEFAULT 0"""
    )
    op.execute("ALTER TABLE reclamation ADD COLUMN IF NOT EXISTS merged_into_id uuid")
    for table in ("comment", "note"):
        op.execute(WRITTEN.format(table=table))
    op.execute("CREATE INDEX client_email ON client (email)")
    op.execute(
        """CREATE TABLE saved_filter (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, user_id uuid, name text NOT NULL, folded text NOT NULL,
            list text NOT NULL, query text NOT NULL)"""
    )
    op.execute(
        "CREATE UNIQUE INDEX saved_filter_name ON saved_filter (user_id, folded) WHERE user_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP TABLE saved_filter, comment, note")
    op.execute("DROP INDEX client_email")
    op.execute("ALTER TABLE client DROP COLUMN notes, DROP COLUMN name_edition, DROP COLUMN locale_edition")
