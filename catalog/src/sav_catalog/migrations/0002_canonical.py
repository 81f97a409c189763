"""References, bar codes, brands and serial numbers in their canonical form, so that they compare as plain texts."""

from alembic import op

from sav_chassis.canonical_rows import make_canonical
from sav_contracts import canonical

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("DROP INDEX article_reference")
    op.execute("DROP INDEX product_serial")
    # The canonical forms of today's types: a change of these needs its own migration.
    forms = {"reference": canonical.reference, "gtin": canonical.gtin, "brand": canonical.line}
    make_canonical("article", forms, unique=["reference"], tell="tell_article")
    make_canonical("stock_level", {"reference": canonical.reference}, tell="tell_stock_level")
    make_canonical(
        "product", {"serial": canonical.serial}, unique=["article_id", "serial"], tell="tell_product"
    )
    op.execute("CREATE UNIQUE INDEX article_reference ON article (reference)")
    op.execute("CREATE UNIQUE INDEX product_serial ON product (article_id, serial)")


def downgrade() -> None:
    """Restores the indexes; the earlier spellings are lost, and the old code reads canonical ones too."""
    op.execute("DROP INDEX article_reference")
    op.execute("DROP INDEX product_serial")
    op.execute("CREATE UNIQUE INDEX article_reference ON article (lower(reference))")
    op.execute("CREATE UNIQUE INDEX product_serial ON product (article_id, lower(replace(serial, ' ', '')))")
