"""What an article heats, on which the VAT of works with it may depend."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # Of old articles nobody has said it.
    op.execute("ALTER TABLE article ADD COLUMN heats text")


def downgrade() -> None:
    op.execute("ALTER TABLE article DROP COLUMN heats")
