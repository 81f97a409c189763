"""When the fault was reported, in place of the day in UTC: the day is that of the product's place."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE intervention ADD reported_at timestamptz")
    # At noon it is the same day from Guadeloupe to La Réunion.
    op.execute("UPDATE intervention SET reported_at = (reported_on + time '12:00') AT TIME ZONE 'UTC'")
    op.execute("ALTER TABLE intervention ALTER reported_at SET NOT NULL, DROP reported_on")


def downgrade() -> None:
    op.execute("ALTER TABLE intervention ADD reported_on date")
    op.execute("UPDATE intervention SET reported_on = (reported_at AT TIME ZONE 'UTC')::date")
    op.execute("ALTER TABLE intervention ALTER reported_on SET NOT NULL, DROP reported_at")
