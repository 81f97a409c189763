"""Which product a record names."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE view ADD product_id uuid")
    op.execute(
        "UPDATE view SET product_id = (doc ->> 'product_id')::uuid WHERE doc ->> 'product_id' IS NOT NULL"
    )
    # Whose clients and products a technician sees: those that what they are working on names. A client has few records
    # enough for `view_client` to find the technicians that these name.
    op.execute(
        """CREATE INDEX view_named ON view (technician_id, client_id, product_id)
        WHERE open AND kind IN ('reclamation', 'intervention')"""
    )


def downgrade() -> None:
    op.execute("DROP INDEX view_named")
    op.execute("ALTER TABLE view DROP product_id")
