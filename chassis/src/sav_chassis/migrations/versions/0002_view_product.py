"""The product that a record names."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE view ADD product_id uuid")
    op.execute(
        "UPDATE view SET product_id = (doc ->> 'product_id')::uuid WHERE doc ->> 'product_id' IS NOT NULL"
    )
    # A technician sees the clients and products that their open work names. A client sees the technicians that their
    # work names: for these `view_client` is enough, since one client has few records.
    op.execute(
        """CREATE INDEX view_named ON view (technician_id, client_id, product_id)
        WHERE open AND kind IN ('reclamation', 'intervention')"""
    )


def downgrade() -> None:
    op.execute("DROP INDEX view_named")
    op.execute("ALTER TABLE view DROP product_id")
