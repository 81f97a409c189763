"""How much of a payment, and of what is left of a credit, a payer's bank disputes: until now all of it."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    for table in ("payment", "client_credit"):
        op.execute(
            f"ALTER TABLE {table} ADD disputed numeric(15, 3) NOT NULL DEFAULT 0 CHECK (disputed >= 0)"
        )
    op.execute("UPDATE payment SET disputed = amount - credited - refunded WHERE status = 'disputed'")
    op.execute("UPDATE client_credit SET disputed = remaining WHERE held")


def downgrade() -> None:
    for table in ("payment", "client_credit"):
        op.execute(f"ALTER TABLE {table} DROP disputed")
