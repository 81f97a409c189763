"""What the columns and indexes of lists were made from, and the words that occur; `settle` makes the columns."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # A read model with records held everything until now. An empty one is looked at by `./sav up` and `migrate`.
    op.execute(
        """INSERT INTO view (kind, id, version, open, created_at, updated_at, doc)
        SELECT 'read_model', '00000000-0000-0000-0000-000000000000', 1, false, 'epoch', 'epoch', '{}'
        WHERE EXISTS (SELECT FROM view)"""
    )
    op.execute("CREATE TABLE listed (kind text PRIMARY KEY, declared text NOT NULL)")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute('CREATE TABLE word (kind text, word text COLLATE "C", PRIMARY KEY (kind, word))')
    op.execute("CREATE INDEX word_like ON word USING gin (word gin_trgm_ops)")


def downgrade() -> None:
    op.execute("DROP TABLE listed, word")
    op.execute("DELETE FROM view WHERE kind = 'read_model'")
