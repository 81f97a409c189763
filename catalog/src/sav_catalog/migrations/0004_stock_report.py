"""Stocktakes with what they counted, the indexes of the stock report, and movements at the times of their events."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE stocktake_reference")
    op.execute(
        """CREATE TABLE stocktake (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, reference text NOT NULL UNIQUE, counted_at timestamptz NOT NULL,
            by_id uuid NOT NULL, note text, counted bigint NOT NULL, adjusted bigint NOT NULL,
            surplus bigint NOT NULL, missing bigint NOT NULL, value json NOT NULL)"""
    )
    # An article is counted once at a moment, whichever stocktake says so.
    op.execute(
        """CREATE TABLE stocktake_line (
            stocktake_id uuid NOT NULL REFERENCES stocktake, article_id uuid NOT NULL REFERENCES article,
            counted bigint NOT NULL CHECK (counted >= 0), expected bigint NOT NULL, price numeric NOT NULL,
            currency text NOT NULL, counted_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL,
            PRIMARY KEY (stocktake_id, article_id), UNIQUE (article_id, counted_at))"""
    )
    # A movement after which stock was low was recorded at the time of that event.
    op.execute(
        """UPDATE stock_movement m SET at = moved.at
        FROM event_log low JOIN event_log moved ON moved.subject = low.subject AND moved.sequence = low.sequence - 1
            JOIN stock_level s ON s.id = low.subject
        WHERE low.type = 'catalog.StockLow.v1' AND moved.type = 'catalog.StockMoved.v1'
            AND m.article_id = s.article_id AND m.at = low.at"""
    )
    # Read without the table: what moved in a period, what is reserved, and when an article was consumed last.
    op.execute(
        "CREATE INDEX stock_movement_at ON stock_movement (at) INCLUDE (article_id, movement, quantity)"
    )
    op.execute(
        """CREATE INDEX stock_movement_reserved ON stock_movement (article_id) INCLUDE (quantity)
            WHERE movement IN ('reserve', 'release')"""
    )
    op.execute(
        "CREATE INDEX stock_movement_consumed ON stock_movement (article_id, at) WHERE movement = 'consume'"
    )


def downgrade() -> None:
    op.execute("DROP INDEX stock_movement_at, stock_movement_reserved, stock_movement_consumed")
    op.execute("DROP TABLE stocktake_line, stocktake")
    op.execute("DROP SEQUENCE stocktake_reference")
