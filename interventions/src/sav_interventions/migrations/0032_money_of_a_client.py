"""Statements, credits and journals find what is a client's, or of a day, without reading every row."""

from alembic import op

revision = "0032"
down_revision = "0031"

INDEXES = {
    "estimate_client": "estimate (client_id)",
    "ledger_entry_client": "ledger_entry (client_id)",
    "ledger_entry_credit": "ledger_entry (client_credit_id) WHERE client_credit_id IS NOT NULL",
    "payment_credit": "payment (client_credit_id) WHERE client_credit_id IS NOT NULL",
    "invoice_issued_on": "invoice (issued_on) WHERE issued_on IS NOT NULL",
    "credit_note_issued_on": "credit_note (issued_on)",
}


def upgrade() -> None:
    for name, of in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {of}")


def downgrade() -> None:
    op.execute(f"DROP INDEX {', '.join(INDEXES)}")
