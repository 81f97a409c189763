"""At what time an invoice was issued: within a day, statements follow it."""

from alembic import op

revision = "0030"
down_revision = "0023"

FROM_THE_LOG = """UPDATE invoice SET issued_at = told.at FROM (
    SELECT subject, min(at) AS at FROM event_log
    WHERE kind = 'invoice' AND type = 'interventions.InvoiceIssued.v1' GROUP BY subject) AS told
WHERE told.subject = invoice.id"""


def upgrade() -> None:
    op.execute("ALTER TABLE invoice ADD issued_at timestamptz")
    op.execute(FROM_THE_LOG)


def downgrade() -> None:
    op.execute("ALTER TABLE invoice DROP issued_at")
