"""Indexes for the lists of a person's messages and of the children of a record."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """CREATE INDEX view_parent ON view (parent, kind, created_at DESC, id DESC)
        WHERE parent IS NOT NULL"""
    )
    op.execute(
        """CREATE INDEX view_user ON view (user_id, kind, created_at DESC, id DESC)
        WHERE user_id IS NOT NULL"""
    )


def downgrade() -> None:
    op.execute("DROP INDEX view_parent, view_user")
