"""Articles, their stock, and installed products."""

from alembic import op

revision = "0001"
down_revision = None

AGGREGATE = """id uuid PRIMARY KEY, version bigint NOT NULL, created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL"""


def upgrade() -> None:
    op.execute(
        f"""CREATE TABLE article (
            {AGGREGATE}, reference text NOT NULL, gtin text, name text NOT NULL, brand text NOT NULL, model text,
            family text NOT NULL, description text NOT NULL, fuel text, power_kw numeric, price numeric NOT NULL,
            currency text NOT NULL, vat_class text NOT NULL, warranty_parts_months bigint NOT NULL,
            warranty_labour_months bigint NOT NULL, spare_parts_until date, compatible_parts uuid[] NOT NULL,
            image json, minimum_stock bigint NOT NULL, in_stock boolean NOT NULL, status text NOT NULL)"""
    )
    op.execute("CREATE UNIQUE INDEX article_reference ON article (lower(reference))")
    op.execute(
        f"""CREATE TABLE stock_level (
            {AGGREGATE}, article_id uuid NOT NULL UNIQUE REFERENCES article, reference text NOT NULL,
            level bigint NOT NULL CHECK (level >= 0), minimum_stock bigint NOT NULL)"""
    )
    # Append-only: a level is the sum of its article's movements.
    op.execute(
        """CREATE TABLE stock_movement (
            id uuid PRIMARY KEY, article_id uuid NOT NULL REFERENCES article, movement text NOT NULL,
            quantity bigint NOT NULL CHECK (quantity <> 0), reason text, reference text, by_id uuid NOT NULL,
            at timestamptz NOT NULL)"""
    )
    op.execute("CREATE INDEX stock_movement_article ON stock_movement (article_id, at)")
    op.execute(
        f"""CREATE TABLE product (
            {AGGREGATE}, client_id uuid NOT NULL, article_id uuid NOT NULL REFERENCES article, article text NOT NULL,
            family text NOT NULL, serial text NOT NULL, place json NOT NULL, purchase_date date NOT NULL,
            delivery_date date NOT NULL, commissioning_date date, proof json, proof_state text NOT NULL,
            proof_reason text, covers json NOT NULL,
            CHECK (delivery_date >= purchase_date))"""
    )
    # Spaces and capitals make no difference: it is the same serial number.
    op.execute("CREATE UNIQUE INDEX product_serial ON product (article_id, lower(replace(serial, ' ', '')))")
    op.execute("CREATE INDEX product_client ON product (client_id)")


def downgrade() -> None:
    op.execute("DROP TABLE product, stock_movement, stock_level, article")
