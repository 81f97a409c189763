"""How often the name and the language of an account were changed."""

from alembic import op

revision = "0006"
down_revision = "0005"

# Inserts what `tx.remind` would write. Until now a profile kept the name of the sign-up: the account's is the newer one,
# and the profile takes it when it is told again. Of the staff, claims keeps copies from now on.
TELL = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'tell_account ' || id, id, now(),
    json_build_object('id', gen_random_uuid(), 'function', 'tell_account', 'about', id,
        'correlation_id', (SELECT gen_random_uuid() OFFSET 0))::text,
    '{}'
FROM account WHERE role <> 'client' OR id IN (SELECT subject FROM event_log WHERE type = 'auth.UserUpdated.v1')
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE account
            ADD COLUMN name_edition bigint NOT NULL DEFAULT 0, ADD COLUMN locale_edition bigint NOT NULL DEFAULT 0"""
    )
    op.execute(TELL)


def downgrade() -> None:
    op.execute("ALTER TABLE account DROP COLUMN name_edition, DROP COLUMN locale_edition")
