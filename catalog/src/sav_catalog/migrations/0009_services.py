"""The services of a unit, until when the next one is due, and what visits built in."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from alembic import op
from sqlalchemy import Connection, text

from sav_contracts.catalog.article import Family, Fuel, Heats
from sav_contracts.catalog.servicing import next_service

revision = "0009"
down_revision = "0008"

UNITS = """
SELECT product.id, article.family, article.fuel, article.heats, article.power_kw,
    coalesce(product.commissioning_date, product.delivery_date) AS installed
FROM product JOIN article ON article.id = product.article_id
WHERE product.replaced_by_id IS NULL"""
# Inserts what `tx.remind` would write: at the next start each product's view is emitted with its new fields.
TELL_LATER = """
INSERT INTO task (use, key, lane, due, message, persons)
SELECT 'timer', 'tell_product ' || id, id, now(),
    json_build_object('id', gen_random_uuid(), 'function', 'tell_product', 'about', id,
        'correlation_id', conversation)::text,
    '{}'
FROM product, (SELECT gen_random_uuid() AS conversation OFFSET 0) AS said
WHERE next_service_due IS NOT NULL
ON CONFLICT DO NOTHING"""


class Unit(NamedTuple):
    """What decides about the services of a unit."""

    family: Family
    fuel: Fuel | None
    heats: Heats | None
    power_kw: Decimal | None


def upgrade() -> None:
    op.execute(
        """ALTER TABLE product ADD serviced_on date, ADD next_service_due date,
            ADD built_in json NOT NULL DEFAULT '[]'"""
    )
    connection = op.get_bind()
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    _plan_services(connection, datetime.now(UTC).date())
    connection.execute(text(TELL_LATER))


def downgrade() -> None:
    op.execute("ALTER TABLE product DROP serviced_on, DROP next_service_due, DROP built_in")


def _plan_services(connection: Connection, today: date) -> None:
    due = [
        {"id": id, "due": next_service(Unit(*built), installed, None, today)}
        for id, *built, installed in connection.execute(text(UNITS)).all()
    ]
    planned = [one for one in due if one["due"]]
    if planned:
        connection.execute(text("UPDATE product SET next_service_due = :due WHERE id = :id"), planned)
