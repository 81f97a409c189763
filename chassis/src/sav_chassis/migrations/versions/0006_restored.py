"""The restores of this database: after each, versions of records begin above its floor."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # `position` is the end of the log at the restore: versions of later events may begin at floor + 1.
    op.execute(
        """CREATE TABLE restored (
            floor bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), position bigint NOT NULL)"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE restored")
