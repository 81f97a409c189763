"""Invoices, their numbers, payments; when the work of a visit ended."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE intervention ADD done_at timestamptz")
    op.execute(
        """CREATE TABLE invoice_series (
            series text PRIMARY KEY, day date NOT NULL, last bigint NOT NULL, hash text NOT NULL)"""
    )
    op.execute(
        """CREATE TABLE invoice (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, client_id uuid NOT NULL, intervention_id uuid REFERENCES intervention,
            reclamation_id uuid, reclamation_reference text, number text UNIQUE, status text NOT NULL,
            currency text NOT NULL, seller json NOT NULL, buyer json NOT NULL, supplied_on date NOT NULL,
            issued_on date, due_on date, lines json NOT NULL, vat json NOT NULL, net numeric(12, 2) NOT NULL,
            tax numeric(12, 2) NOT NULL, paid numeric(12, 2) NOT NULL CHECK (paid BETWEEN 0 AND net + tax),
            edited boolean NOT NULL, mentions json NOT NULL, document json, hash text, previous_hash text UNIQUE, reason text,
            CHECK ((status IN ('draft', 'discarded')) = (number IS NULL)))"""
    )
    # A visit is billed once.
    op.execute(
        """CREATE UNIQUE INDEX invoice_of_visit ON invoice (intervention_id)
        WHERE status NOT IN ('discarded', 'credited')"""
    )
    op.execute(
        """CREATE TABLE payment (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, invoice_id uuid NOT NULL REFERENCES invoice, invoice_number text NOT NULL,
            reclamation_id uuid, method text NOT NULL, amount numeric(12, 2) NOT NULL CHECK (amount > 0),
            currency text NOT NULL, received_on date NOT NULL, reference text, status text NOT NULL)"""
    )
    op.execute("CREATE INDEX payment_invoice ON payment (invoice_id)")


def downgrade() -> None:
    op.execute("DROP TABLE payment, invoice, invoice_series")
    op.execute("ALTER TABLE intervention DROP done_at")
