"""OpenAPI 3.1, from the surface and the messages."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sav_chassis.errors import Problem
from sav_contracts.actor import ANYONE, Actor, Role
from sav_contracts.messages import Asked, View
from sav_contracts.surface import SURFACE, Row, Serves
from sav_contracts.timeline import Entry
from sav_edge.listing import PARAMETERS, form
from sav_edge.routes import PREFIX

Json = dict[str, Any]
CLIENT = Actor(role=Role.CLIENT)

REFUSALS = {
    "400": "The body is not JSON",
    "401": "No valid token",
    "403": "Not for this role, or not for you",
    "404": "There is no such record, or none that you may see",
    "409": "The record's state does not allow it; `moves` holds what it allows",
    "410": "The link was used or has expired",
    "413": "The body is too large",
    "422": "Wrong fields, each named in `errors`",
    "503": "Who should answer is away; nothing was done",
    "504": "No answer in time; repeat with the same Idempotency-Key",
}


def document() -> Json:
    """The description of every route, for people and for generators of clients."""
    references, definitions = _schemas()
    problem = definitions["Problem"]
    problem["properties"] = {"type": {"type": "string"}, "title": {"type": "string"}} | problem["properties"]
    paths: dict[str, Json] = {}
    for row in SURFACE:
        path = PREFIX + row.path
        paths.setdefault(path, {})[row.method.lower()] = _operation(row, references, definitions)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SAV",
            "version": "1",
            "description": "After-sales service: réclamations, visits, accounts.",
        },
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _schemas() -> tuple[dict[type[BaseModel], Json], dict[str, Json]]:
    models: set[tuple[type[BaseModel], str]] = {(Problem, "serialization"), (Entry, "serialization")}
    for row in SURFACE:
        if issubclass(row.message, Asked):
            models |= {(row.message, "validation"), (row.message.reply_type(), "serialization")}
        for shown in _forms(row):
            models.add((shown, "serialization"))
    ordered = sorted(models, key=lambda item: (item[0].__name__, item[1]))
    found, definitions = models_json_schema(
        ordered,  # type: ignore[arg-type]
        ref_template="#/components/schemas/{model}",
    )
    by_model = {model: schema for (model, _), schema in found.items() if issubclass(model, BaseModel)}
    return by_model, definitions["$defs"]


def _forms(row: Row) -> list[type[View]]:
    reply = row.message.reply_type() if issubclass(row.message, Asked) else row.message
    if not issubclass(reply, View):
        return []
    shapes = [reply] if set(row.reach) - {Role.CLIENT} else []
    if Role.CLIENT in row.reach and form(reply, CLIENT) not in shapes:
        shapes.append(form(reply, CLIENT))
    return shapes


def _operation(row: Row, references: dict[type[BaseModel], Json], definitions: dict[str, Json]) -> Json:
    name = row.message.__name__
    operation: Json = {
        "operationId": _operation_id(row),
        "tags": [row.message.owner],
        "summary": row.feature,
        "description": _described(row),
        "parameters": [_path_parameter(part) for part in re.findall(r"{(\w+)}", row.path)],
        "responses": {str(row.status): _answer(row, references)} | _refusals(row),
    }
    if not _public(row):
        operation["security"] = [{"token": []}]
    if row.serves is Serves.REPLY:
        operation["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Chosen by the caller: the same request with the same key is done once.",
                "schema": {"type": "string", "maxLength": 200},
            }
        )
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _body(definitions[name], row)}},
        }
    elif row.serves in (Serves.PAGE, Serves.TIMELINE):
        operation["parameters"] += [_query_parameter(name, row) for name in _query_names(row)]
    return operation


def _described(row: Row) -> str:
    told = {
        Serves.REPLY: row.message.__doc__,
        Serves.PAGE: "What the caller may see, newest first; `next` of a page is the `after` of the following one.",
        Serves.TIMELINE: "What happened, oldest first, as far as the caller may see it.",
    }.get(row.serves, f"As the caller may see it. {row.message.__doc__}")
    return f"{told}\n\n{_roles(row)}"


def _operation_id(row: Row) -> str:
    name = row.message.__name__.removesuffix("View")
    return {
        Serves.PAGE: f"list{name}s",
        Serves.ONE: f"get{name}",
        Serves.SELF: f"getMy{name}",
        Serves.TIMELINE: f"get{name}Timeline",
    }.get(row.serves, name[0].lower() + name[1:])


def _roles(row: Row) -> str:
    if _public(row):
        return "For anybody, without a token."
    return "For " + ", ".join(f"{role} ({reach})" for role, reach in row.reach.items()) + "."


def _public(row: Row) -> bool:
    return ANYONE.role in row.reach


def _answer(row: Row, references: dict[type[BaseModel], Json]) -> Json:
    if row.serves is Serves.TIMELINE:
        shapes = [references[Entry]]
    elif forms := _forms(row):
        shapes = [references[shape] for shape in forms]
    else:
        shapes = [references[row.message.reply_type()]] if issubclass(row.message, Asked) else []
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    if row.serves in (Serves.PAGE, Serves.TIMELINE):
        schema = {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": schema},
                "next": {"type": ["string", "null"], "description": "The `after` of the following page"},
            },
        }
    return {
        "description": "Done" if row.serves is Serves.REPLY else "Found",
        "content": {"application/json": {"schema": schema}},
    }


def _refusals(row: Row) -> Json:
    expected = set(REFUSALS) if row.serves is Serves.REPLY else {"401", "403", "404", "422", "503"}
    if row.serves is Serves.PAGE:
        expected -= {"404"}
    if "token" not in row.message.model_fields:
        expected -= {"410"}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {code: {"description": REFUSALS[code], "content": problem} for code in sorted(expected)}


def _body(schema: Json, row: Row) -> Json:
    in_path = set(re.findall(r"{(\w+)}", row.path))
    if not in_path:
        return {"$ref": f"#/components/schemas/{row.message.__name__}"}
    body = dict(schema)
    body["properties"] = {name: value for name, value in schema["properties"].items() if name not in in_path}
    body["required"] = [name for name in schema.get("required", []) if name not in in_path]
    return body


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _query_names(row: Row) -> list[str]:
    return [*row.filters, *(PARAMETERS if row.sorts else ("limit", "after"))]


def _query_parameter(name: str, row: Row) -> Json:
    properties = row.message.model_json_schema()["properties"]
    schema: Json = {"type": "string"}
    if name in row.filters:
        known = {
            key: properties[name].get(key) for key in ("type", "enum", "format") if key in properties[name]
        }
        return {"name": name, "in": "query", "schema": {"type": "array", "items": known or schema}}
    if name == "sort":
        schema = {"type": "string", "enum": [f"{sign}{key}" for key in row.sorts for sign in ("", "-")]}
    if name == "limit":
        schema = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    elif name.startswith("created_"):
        schema = {"type": "string", "format": "date-time"}
    return {"name": name, "in": "query", "schema": schema}
