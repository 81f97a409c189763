"""Product, warranty, resolution and visit of a réclamation; photos."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE reclamation
            ADD COLUMN product_id uuid, ADD COLUMN warranty json, ADD COLUMN resolution text,
            ADD COLUMN visit_id uuid"""
    )
    op.execute("CREATE INDEX reclamation_product ON reclamation (product_id)")
    op.execute(
        """CREATE TABLE photo (
            id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL, reclamation_id uuid NOT NULL REFERENCES reclamation,
            file json NOT NULL, by text NOT NULL)"""
    )
    op.execute("CREATE INDEX photo_reclamation ON photo (reclamation_id)")


def downgrade() -> None:
    op.execute("DROP TABLE photo")
    op.execute(
        """ALTER TABLE reclamation
            DROP COLUMN product_id, DROP COLUMN warranty, DROP COLUMN resolution, DROP COLUMN visit_id"""
    )
