"""Amounts with three decimals; discounts, stamps and what the VAT of an invoice depends on; invoices of purchases."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE invoice DROP CONSTRAINT invoice_check")
    op.execute(
        """ALTER TABLE invoice
            ALTER net TYPE numeric(15, 3), ALTER tax TYPE numeric(15, 3), ALTER paid TYPE numeric(15, 3),
            ADD order_id uuid, ADD order_reference text, ADD stamp numeric(15, 3), ADD discount json, ADD supply json,
            ADD lacks json NOT NULL DEFAULT '[]',
            ADD CONSTRAINT invoice_paid CHECK (paid BETWEEN 0 AND net + tax + coalesce(stamp, 0))"""
    )
    op.execute("ALTER TABLE payment ALTER amount TYPE numeric(15, 3)")
    # A purchase is billed once.
    op.execute(
        """CREATE UNIQUE INDEX invoice_of_order ON invoice (order_id)
        WHERE status NOT IN ('discarded', 'credited')"""
    )
    op.execute(
        """CREATE TABLE invoice_margin (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, invoice_id uuid NOT NULL UNIQUE, invoice_number text NOT NULL,
            currency text NOT NULL, parts json NOT NULL, net numeric(15, 3) NOT NULL, cost numeric(15, 3) NOT NULL,
            margin numeric(15, 3) NOT NULL, unknown bigint NOT NULL)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE invoice_margin")
    op.execute("DROP INDEX invoice_of_order")
    op.execute("ALTER TABLE payment ALTER amount TYPE numeric(12, 2)")
    op.execute(
        """ALTER TABLE invoice DROP CONSTRAINT invoice_paid,
            DROP order_id, DROP order_reference, DROP stamp, DROP discount, DROP supply, DROP lacks,
            ALTER net TYPE numeric(12, 2), ALTER tax TYPE numeric(12, 2), ALTER paid TYPE numeric(12, 2),
            ADD CONSTRAINT invoice_check CHECK (paid BETWEEN 0 AND net + tax)"""
    )
