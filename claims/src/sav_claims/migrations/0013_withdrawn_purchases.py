"""Whether a client may withdraw from a purchase, and when they did."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE parts_order ADD COLUMN withdrawal json, ADD COLUMN withdrawal_asked_at timestamptz,
            ADD COLUMN withdrawn_at timestamptz, ADD COLUMN returned_at timestamptz"""
    )


def downgrade() -> None:
    op.execute(
        """ALTER TABLE parts_order DROP COLUMN withdrawal, DROP COLUMN withdrawal_asked_at,
            DROP COLUMN withdrawn_at, DROP COLUMN returned_at"""
    )
