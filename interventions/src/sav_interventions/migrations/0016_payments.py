"""The ledger of payments with its closings, clients' credits, payments online. Old payments are entered, in their order."""

from alembic import op

revision = "0016"
down_revision = "0015"

# What `Entry.content` and `Entry.digest` compute. Days are those of the firm's first jurisdiction.
ENTER = """
DO $$
DECLARE
    one record; line text; before text := repeat('0', 64); day date := NULL; n bigint := 0;
BEGIN
    FOR one IN
        SELECT p.*, i.client_id FROM payment p JOIN invoice i ON i.id = p.invoice_id
        WHERE p.status = 'captured' ORDER BY p.created_at, p.id
    LOOP
        n := n + 1;
        day := greatest(day, (one.created_at AT TIME ZONE 'Europe/Paris')::date);
        line := concat_ws(E'\\t', n, day, one.received_on, 'received', one.amount::numeric(15, 3), one.currency, one.method,
            one.client_id, one.id, '', one.invoice_number, coalesce(one.reference, ''));
        INSERT INTO ledger_entry VALUES (n, one.created_at, day, one.received_on, 'received', one.amount, one.currency,
            one.method, one.client_id, one.id, NULL, one.invoice_number, one.reference, before,
            encode(sha256(convert_to(before || line, 'UTF8')), 'hex'));
        before := encode(sha256(convert_to(before || line, 'UTF8')), 'hex');
    END LOOP;
    IF n > 0 THEN
        INSERT INTO ledger VALUES ('payments', n, day, before, NULL);
    END IF;
END $$"""
# Inserts what `tx.remind` would write, for the ledger's id.
REMIND = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'close_periods ' || id, id, now(),
    json_build_object('id', gen_random_uuid(), 'function', 'close_periods', 'about', id,
        'correlation_id', gen_random_uuid())::text,
    '{}'
FROM (SELECT '6c656467-6572-4000-8000-000000000000'::uuid AS id FROM ledger) AS one
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE payment
            ALTER amount TYPE numeric(15, 3),
            ADD credited numeric(15, 3) NOT NULL DEFAULT 0, ADD refunded numeric(15, 3) NOT NULL DEFAULT 0,
            ADD client_credit_id uuid, ADD checkout_url text, ADD expires_at timestamptz, ADD failure text,
            ADD provider text, ADD checkout text, ADD charge text,
            ADD provider_refunded numeric(15, 3) NOT NULL DEFAULT 0,
            ADD CHECK (credited >= 0 AND refunded >= 0 AND credited + refunded <= amount)"""
    )
    op.execute("CREATE UNIQUE INDEX payment_checkout ON payment (checkout)")
    op.execute("CREATE UNIQUE INDEX payment_charge ON payment (charge)")
    op.execute(
        """CREATE TABLE client_credit (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, client_id uuid NOT NULL, origin text NOT NULL,
            payment_id uuid REFERENCES payment, invoice_id uuid REFERENCES invoice, invoice_number text,
            method text NOT NULL, amount numeric(15, 3) NOT NULL CHECK (amount > 0), refunded numeric(15, 3) NOT NULL,
            remaining numeric(15, 3) NOT NULL CHECK (remaining BETWEEN 0 AND amount), currency text NOT NULL,
            received_on date NOT NULL, reference text, held boolean NOT NULL)"""
    )
    op.execute("CREATE INDEX client_credit_client ON client_credit (client_id)")
    op.execute("CREATE INDEX client_credit_payment ON client_credit (payment_id)")
    op.execute(
        """CREATE TABLE ledger (
            name text PRIMARY KEY, last bigint NOT NULL, day date NOT NULL, hash text NOT NULL, closed_until date)"""
    )
    op.execute(
        """CREATE TABLE ledger_entry (
            number bigint PRIMARY KEY, at timestamptz NOT NULL, entered_on date NOT NULL, received_on date NOT NULL,
            kind text NOT NULL, amount numeric(15, 3) NOT NULL, currency text NOT NULL, method text NOT NULL,
            client_id uuid NOT NULL, payment_id uuid, client_credit_id uuid, invoice_number text, reference text,
            previous_hash text NOT NULL UNIQUE, hash text NOT NULL)"""
    )
    op.execute("CREATE INDEX ledger_entry_day ON ledger_entry (entered_on)")
    op.execute("CREATE INDEX ledger_entry_payment ON ledger_entry (payment_id)")
    op.execute(
        """CREATE TABLE closing (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, period text NOT NULL, first_day date NOT NULL, last_day date NOT NULL,
            currency text NOT NULL, entries bigint NOT NULL, received numeric(15, 3) NOT NULL,
            paid_back numeric(15, 3) NOT NULL, total numeric(15, 3) NOT NULL, perpetual numeric(15, 3) NOT NULL,
            methods json NOT NULL, last_entry bigint NOT NULL, ledger_hash text NOT NULL, previous_hash text NOT NULL,
            hash text NOT NULL, archive json, UNIQUE (period, currency, first_day))"""
    )
    op.execute("CREATE TABLE provider_news (id text PRIMARY KEY, at timestamptz NOT NULL)")
    op.execute(ENTER)
    op.execute(REMIND)
    # Entries are kept as they were made, whoever is connected.
    op.execute(
        """CREATE FUNCTION keep_entries() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'an entry of the ledger is never changed or removed'; END $$"""
    )
    op.execute(
        """CREATE TRIGGER keep_entries BEFORE UPDATE OR DELETE ON ledger_entry
        FOR EACH ROW EXECUTE FUNCTION keep_entries()"""
    )


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE use = 'timer' AND key LIKE 'close\\_periods %'")
    op.execute("DROP TABLE provider_news, closing, ledger_entry, ledger, client_credit")
    op.execute("DROP FUNCTION keep_entries")
    op.execute(
        """ALTER TABLE payment ALTER amount TYPE numeric(12, 2), DROP credited, DROP refunded, DROP client_credit_id,
            DROP checkout_url, DROP expires_at, DROP failure, DROP provider, DROP checkout, DROP charge,
            DROP provider_refunded"""
    )
