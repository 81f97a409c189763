"""What technicians can do and where, whom a manager set inactive, and what a visit needs."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("ALTER TABLE technician RENAME COLUMN active TO account_active")
    op.execute(
        """ALTER TABLE technician
            ADD COLUMN set_inactive boolean NOT NULL DEFAULT false,
            ADD COLUMN skills json NOT NULL DEFAULT '[]', ADD COLUMN zone json NOT NULL DEFAULT '[]'"""
    )
    op.execute("ALTER TABLE intervention ADD COLUMN skills_needed json NOT NULL DEFAULT '[]'")


def downgrade() -> None:
    op.execute("ALTER TABLE intervention DROP COLUMN skills_needed")
    op.execute("ALTER TABLE technician DROP COLUMN set_inactive, DROP COLUMN skills, DROP COLUMN zone")
    op.execute("ALTER TABLE technician RENAME COLUMN account_active TO active")
