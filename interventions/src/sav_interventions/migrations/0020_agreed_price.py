"""The accepted estimate to which an invoice keeps."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.execute("ALTER TABLE invoice ADD agreed json")


def downgrade() -> None:
    op.execute("ALTER TABLE invoice DROP agreed")
