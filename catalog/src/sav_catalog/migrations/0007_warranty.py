"""Who sold a product and to whom, its repairs and its replacement; covers with ids and, where it follows, their months."""

import json
from datetime import date
from uuid import UUID, uuid5

from alembic import op
from sqlalchemy import Connection, text

from sav_contracts.catalog.warranty import months_after

revision = "0007"
down_revision = "0006"

# Inserts what `tx.remind` would write: at the next start each product's view is emitted with its new fields.
TELL_LATER = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'tell_product ' || id, id, now(),
    json_build_object('id', gen_random_uuid(), 'function', 'tell_product', 'about', id,
        'correlation_id', conversation)::text,
    '{}'
FROM product, (SELECT gen_random_uuid() AS conversation OFFSET 0) AS said
WHERE proof_state = 'accepted'
ON CONFLICT DO NOTHING"""


def upgrade() -> None:
    op.execute(
        """ALTER TABLE product ADD repairs json NOT NULL DEFAULT '[]', ADD sold_by text,
            ADD consumer boolean NOT NULL DEFAULT true, ADD second_hand boolean NOT NULL DEFAULT false,
            ADD replaces_id uuid REFERENCES product, ADD replaced_by_id uuid REFERENCES product, ADD replaced_on date,
            ADD guaranteed_from date"""
    )
    # One unit takes the place of one other.
    op.execute("CREATE UNIQUE INDEX product_replaces ON product (replaces_id)")
    # A product's covers follow from its réclamations and visits, of which there are very many.
    op.execute("CREATE INDEX view_product ON view (product_id, kind) WHERE product_id IS NOT NULL")
    connection = op.get_bind()
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    _complete_covers(connection)
    connection.execute(text(TELL_LATER))


def downgrade() -> None:
    """The covers keep their ids and months, which the old code ignores."""
    op.execute("DROP INDEX view_product")
    op.execute(
        """ALTER TABLE product DROP repairs, DROP sold_by, DROP consumer, DROP second_hand, DROP replaces_id,
            DROP replaced_by_id, DROP replaced_on, DROP guaranteed_from"""
    )


def _complete_covers(connection: Connection) -> None:
    products = connection.execute(text("SELECT id, covers FROM product WHERE proof_state = 'accepted'")).all()
    for id, covers in products:
        completed = [_completed(id, cover) for cover in covers]
        connection.execute(
            text("UPDATE product SET covers = CAST(:covers AS json) WHERE id = :id"),
            {"id": id, "covers": json.dumps(completed)},
        )


def _completed(product_id: UUID, cover: dict[str, object]) -> dict[str, object]:
    start, end = (date.fromisoformat(str(cover[name])) for name in ("start", "end"))
    months = (end.year - start.year) * 12 + end.month - start.month
    facts = json.dumps(cover, sort_keys=True)
    lasts = months if months_after(start, months) == end else None
    return {"id": str(uuid5(product_id, facts)), "months": lasts} | cover
