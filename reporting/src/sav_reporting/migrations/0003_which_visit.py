"""Which visit a feedback is about, in words."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE feedback ADD COLUMN visit text, ADD COLUMN visited_on date")


def downgrade() -> None:
    op.execute("ALTER TABLE feedback DROP COLUMN visit, DROP COLUMN visited_on")
