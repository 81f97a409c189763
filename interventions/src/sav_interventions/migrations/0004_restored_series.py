"""After a restore: numbers that were issued and are missing here, and a series that replaces another."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE invoice_series ADD COLUMN over boolean NOT NULL DEFAULT false")
    op.execute("CREATE UNIQUE INDEX invoice_series_in_use ON invoice_series ((true)) WHERE NOT over")
    op.execute(
        """CREATE TABLE invoice_missing (
            series text NOT NULL, year bigint NOT NULL, first bigint NOT NULL, last bigint, at timestamptz NOT NULL,
            previous_hash text NOT NULL, hash text NOT NULL, PRIMARY KEY (series, year, first))"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE invoice_missing")
    op.execute("DROP INDEX invoice_series_in_use")
    op.execute("ALTER TABLE invoice_series DROP COLUMN over")
