"""The place of a réclamation, how it came, when a visit would suit, what it repeats; unfinished réclamations."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE reclamation
            ADD COLUMN place json, ADD COLUMN preferred_times json NOT NULL DEFAULT '[]',
            ADD COLUMN possible_duplicates json NOT NULL DEFAULT '[]', ADD COLUMN channel text,
            ADD COLUMN opened_by uuid, ADD COLUMN unanswered json NOT NULL DEFAULT '[]',
            ADD COLUMN repeat_of uuid"""
    )
    op.execute(
        """CREATE TABLE reclamation_draft (
            author_id uuid PRIMARY KEY, content json NOT NULL, saved_at timestamptz NOT NULL,
            kept_until timestamptz NOT NULL)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE reclamation_draft")
    op.execute(
        """ALTER TABLE reclamation
            DROP COLUMN place, DROP COLUMN preferred_times, DROP COLUMN possible_duplicates, DROP COLUMN channel,
            DROP COLUMN opened_by, DROP COLUMN unanswered, DROP COLUMN repeat_of"""
    )
