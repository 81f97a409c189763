"""Credit notes with a series of their own, deposit invoices, overdue ones. What is open already gets its timer."""

from alembic import op

from sav_interventions.settings import billing

revision = "0014"
down_revision = "0013"

OPEN = "status IN ('issued', 'partly_paid') AND due_on IS NOT NULL"
# The morning after the due day, where the firm is.
FIND = f"UPDATE invoice SET reminded_at = (due_on + 1 + time '09:00') AT TIME ZONE '{{zone}}' WHERE {OPEN}"
# Inserts what `tx.remind` would write.
REMIND = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'remind_of_invoice ' || id, id, reminded_at,
    json_build_object('id', gen_random_uuid(), 'function', 'remind_of_invoice', 'about', id,
        'correlation_id', (SELECT gen_random_uuid() OFFSET 0))::text,
    '{}'
FROM invoice WHERE reminded_at IS NOT NULL
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute("ALTER TABLE invoice_series ADD COLUMN kind text NOT NULL DEFAULT 'invoice'")
    op.execute("DROP INDEX invoice_series_in_use")
    op.execute("CREATE UNIQUE INDEX invoice_series_in_use ON invoice_series (kind) WHERE NOT over")
    op.execute(
        """ALTER TABLE invoice
            ADD deposit boolean NOT NULL DEFAULT false, ADD deposits json NOT NULL DEFAULT '[]',
            ADD deducted numeric(15, 3) NOT NULL DEFAULT 0,
            ADD deducted_in uuid REFERENCES invoice, ADD credited numeric(15, 3) NOT NULL DEFAULT 0,
            ADD overdue boolean NOT NULL DEFAULT false, ADD reminders bigint NOT NULL DEFAULT 0,
            ADD reminded_at timestamptz,
            ADD CONSTRAINT invoice_credited CHECK (credited BETWEEN 0 AND net + tax + coalesce(stamp, 0))"""
    )
    # A visit is billed once; deposits for it are invoices beside that one.
    op.execute("DROP INDEX invoice_of_visit")
    op.execute(
        """CREATE UNIQUE INDEX invoice_of_visit ON invoice (intervention_id)
        WHERE status NOT IN ('discarded', 'credited') AND NOT deposit"""
    )
    op.execute("CREATE INDEX ix_invoice_deposits ON invoice (intervention_id) WHERE deposit")
    op.execute("CREATE INDEX ix_invoice_deducted_in ON invoice (deducted_in) WHERE deducted_in IS NOT NULL")
    op.execute("CREATE INDEX ix_invoice_client_id ON invoice (client_id)")
    op.execute(
        """CREATE TABLE credit_note (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, invoice_id uuid NOT NULL REFERENCES invoice, invoice_number text NOT NULL,
            invoice_issued_on date NOT NULL, client_id uuid NOT NULL, intervention_id uuid, reclamation_id uuid,
            reclamation_reference text, number text NOT NULL UNIQUE, whole boolean NOT NULL, currency text NOT NULL,
            seller json NOT NULL, buyer json NOT NULL, issued_on date NOT NULL, lines json NOT NULL, vat json NOT NULL,
            net numeric(15, 3) NOT NULL, tax numeric(15, 3) NOT NULL, stamp numeric(15, 3), deposits json NOT NULL,
            deducted numeric(15, 3) NOT NULL, reason text NOT NULL,
            document json, hash text NOT NULL, previous_hash text NOT NULL UNIQUE)"""
    )
    op.execute("CREATE INDEX ix_credit_note_invoice_id ON credit_note (invoice_id)")
    op.execute("CREATE INDEX ix_credit_note_client_id ON credit_note (client_id)")
    op.execute(FIND.format(zone=billing().law.zone))
    op.execute(REMIND)


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE use = 'timer' AND key LIKE 'remind\\_of\\_invoice %'")
    op.execute("DROP TABLE credit_note")
    op.execute(
        "DROP INDEX ix_invoice_client_id, ix_invoice_deposits, ix_invoice_deducted_in, invoice_of_visit"
    )
    op.execute(
        """CREATE UNIQUE INDEX invoice_of_visit ON invoice (intervention_id)
        WHERE status NOT IN ('discarded', 'credited')"""
    )
    op.execute(
        """ALTER TABLE invoice DROP CONSTRAINT invoice_credited, DROP reminded_at, DROP reminders, DROP overdue,
            DROP credited, DROP deducted_in, DROP deducted, DROP deposits, DROP deposit"""
    )
    op.execute("DROP INDEX invoice_series_in_use")
    op.execute("DELETE FROM invoice_series WHERE kind <> 'invoice'")
    op.execute("ALTER TABLE invoice_series DROP COLUMN kind")
    op.execute("CREATE UNIQUE INDEX invoice_series_in_use ON invoice_series ((true)) WHERE NOT over")
