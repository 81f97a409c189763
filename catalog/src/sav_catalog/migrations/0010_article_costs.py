"""What articles cost the firm."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE article_cost (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, article_id uuid NOT NULL UNIQUE, reference text NOT NULL,
            price numeric NOT NULL CHECK (price >= 0), currency text NOT NULL)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE article_cost")
