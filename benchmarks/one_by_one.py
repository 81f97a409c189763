"""The baselines of the projection: one message, one transaction, one upsert into the `view` table, with SQLAlchemy."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import Insert, insert

from sav_chassis.views import COLUMNS
from sav_contracts.messages import View

TYPES: dict[str, Any] = {
    "text": Text,
    "uuid": Uuid,
    "bigint": BigInteger,
    "boolean": Boolean,
    "timestamptz": DateTime(timezone=True),
    "json": JSON(none_as_null=True),
}
VIEW = Table(
    "view",
    MetaData(),
    *(Column(name, TYPES[type], primary_key=name in ("kind", "id")) for name, type in COLUMNS),
)


def upsert(view: View) -> Insert:
    """Writes the row that our projector writes, where it is newer."""
    shown = view.for_client()
    values = {column.name: getattr(view, column.name, None) for column in VIEW.columns} | {
        "kind": view.kind(),
        "open": view.is_open(),
        "doc": view.model_dump(mode="json"),
        "doc_client": shown.model_dump(mode="json") if shown else None,
    }
    statement = insert(VIEW).values(values)
    return statement.on_conflict_do_update(
        index_elements=[VIEW.c.kind, VIEW.c.id],
        set_={name: statement.excluded[name] for name, _ in COLUMNS[2:]},
        where=VIEW.c.version < statement.excluded.version,
    )
