"""Reservations and back-orders, and how many pieces of an article they are."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE stock_level
            ADD COLUMN reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
            ADD COLUMN back_ordered bigint NOT NULL DEFAULT 0 CHECK (back_ordered >= 0)"""
    )
    # `place` counts in the order of the requests for an article, which its lock makes one by one.
    op.execute(
        """CREATE TABLE reservation (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, article_id uuid NOT NULL REFERENCES article, reference text NOT NULL,
            quantity bigint NOT NULL CHECK (quantity > 0), used bigint NOT NULL CHECK (used BETWEEN 0 AND quantity),
            for_kind text NOT NULL, for_id uuid NOT NULL, for_reference text NOT NULL, line_id uuid NOT NULL,
            status text NOT NULL, place bigint GENERATED ALWAYS AS IDENTITY)"""
    )
    op.execute("CREATE INDEX reservation_for ON reservation (for_id)")
    op.execute(
        "CREATE INDEX reservation_waiting ON reservation (article_id, place) WHERE status = 'back_ordered'"
    )


def downgrade() -> None:
    op.execute("DROP TABLE reservation")
    op.execute("ALTER TABLE stock_level DROP COLUMN reserved, DROP COLUMN back_ordered")
