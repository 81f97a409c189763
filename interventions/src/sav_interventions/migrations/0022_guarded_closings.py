"""Closings are kept as entries are; what a deposit is a part of; news of charges that are not known yet; what a restore lost."""

from alembic import op

revision = "0022"
down_revision = "0020"


def upgrade() -> None:
    op.execute("ALTER TABLE invoice ADD whole numeric(15, 3)")
    op.execute("ALTER TABLE provider_news ADD kind text, ADD charge text, ADD amount numeric(15, 3)")
    op.execute("CREATE INDEX provider_news_charge ON provider_news (charge) WHERE kind IS NOT NULL")
    op.execute("ALTER TABLE closing ADD again boolean NOT NULL DEFAULT false")
    op.execute(
        """CREATE TABLE ledger_missing (
            first bigint PRIMARY KEY, last bigint NOT NULL, sure boolean NOT NULL, closed_until date NOT NULL,
            at timestamptz NOT NULL, previous_hash text NOT NULL, hash text NOT NULL)"""
    )
    # Of a closing only its archive is made later, once.
    op.execute(
        """CREATE FUNCTION keep_closings() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF (OLD.archive IS NULL OR OLD.archive::text = NEW.archive::text)
                    AND to_jsonb(OLD) - '{archive,version,updated_at}'::text[]
                        = to_jsonb(NEW) - '{archive,version,updated_at}'::text[] THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'a closing is never changed or removed';
        END $$"""
    )
    op.execute(
        """CREATE TRIGGER keep_closings BEFORE UPDATE OR DELETE ON closing
        FOR EACH ROW EXECUTE FUNCTION keep_closings()"""
    )
    op.execute(
        """CREATE FUNCTION refuse_late_entries() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN
            IF EXISTS (SELECT FROM ledger WHERE closed_until >= NEW.entered_on) THEN
                RAISE EXCEPTION 'nothing is entered in a closed period';
            END IF;
            RETURN NEW;
        END $$"""
    )
    op.execute(
        """CREATE TRIGGER refuse_late_entries BEFORE INSERT ON ledger_entry
        FOR EACH ROW EXECUTE FUNCTION refuse_late_entries()"""
    )
    for table, function in (("ledger_entry", "keep_entries"), ("closing", "keep_closings")):
        op.execute(
            f"CREATE TRIGGER {function}_whole BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {function}()"
        )


def downgrade() -> None:
    op.execute("DROP TRIGGER keep_entries_whole ON ledger_entry")
    op.execute("DROP TRIGGER refuse_late_entries ON ledger_entry")
    op.execute("DROP TRIGGER keep_closings ON closing")
    op.execute("DROP TRIGGER keep_closings_whole ON closing")
    op.execute("DROP FUNCTION keep_closings, refuse_late_entries")
    op.execute("DROP TABLE ledger_missing")
    op.execute("ALTER TABLE closing DROP again")
    op.execute("ALTER TABLE provider_news DROP kind, DROP charge, DROP amount")
    op.execute("ALTER TABLE invoice DROP whole")
