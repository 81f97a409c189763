"""Parameters of paths and queries, as OpenAPI describes them."""

from typing import Any

from pydantic import TypeAdapter

from sav_contracts.surface import ListRow, TimelineRow
from sav_edge.list_query import MAX_SEARCH

Json = dict[str, Any]
SEARCHED = (
    "Words, or beginnings of words, that all occur: in any case, with or without accents, numbers in any grouping; "
    "articles, prepositions and titles before another word do not count. A whole reference that is found is answered alone. "
    "They are looked for in {fields}; of an id, in what the list of those records searches. A word that occurs nowhere "
    "is corrected; then `results_for` says what was searched for."
)

EMPTY_MEANS = (
    "Each value finds the records that have it, and those that have none: an empty list means all of them."
)


def in_path(name: str, schema: Json | None) -> Json:
    """A part of a path: as the message's field of that name, else the id of a record."""
    id: Json = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema or id}


def in_query(name: str, row: ListRow | TimelineRow) -> Json:
    schema: Json = {"type": "string"}
    if isinstance(row, ListRow) and name in row.filters:
        field_schema = TypeAdapter(row.message.filter_type(name)).json_schema()
        known = {key: field_schema[key] for key in ("type", "enum", "format") if key in field_schema}
        means = {"description": EMPTY_MEANS} if name in row.message.empty_means else {}
        return {"name": name, "in": "query", **means, "schema": {"type": "array", "items": known or schema}}
    if isinstance(row, ListRow) and name == "sort":
        schema = {"type": "string", "enum": [f"{sign}{key}" for key in row.sorts for sign in ("", "-")]}
    if name == "limit":
        schema = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    elif name == "q":
        looks = ", ".join(f"`{field}`" for field in row.search) if isinstance(row, ListRow) else ""
        schema = {"type": "string", "maxLength": MAX_SEARCH, "description": SEARCHED.format(fields=looks)}
    elif name in ("from", "to", "created_from", "created_to") or (
        isinstance(row, ListRow) and name in row.bounds()
    ):
        schema = {"type": "string", "format": "date-time"}
    return {"name": name, "in": "query", "schema": schema}
