"""The repair that a reservation is for, by a parts list or by an order."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE reservation ADD COLUMN repair_id uuid")
    op.execute("UPDATE reservation SET repair_id = for_id WHERE for_kind = 'reclamation'")
    op.execute("CREATE INDEX reservation_repair ON reservation (repair_id) WHERE repair_id IS NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE reservation DROP COLUMN repair_id")
