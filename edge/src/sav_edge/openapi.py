"""OpenAPI 3.1, from the surface and the messages."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from sav_chassis.errors import Problem
from sav_contracts.actor import ANYONE, Actor, Role
from sav_contracts.files import MAX_FILE_BYTES, MAX_UPLOAD
from sav_contracts.messages import Asked, View
from sav_contracts.surface import SURFACE, Row, Serves
from sav_contracts.timeline import Entry
from sav_edge import beside
from sav_edge.answers import REFUSALS, headers, refusals, with_headers
from sav_edge.listing import MAX_SEARCH, form, parameters
from sav_edge.routes import PREFIX
from sav_edge.uploads import ENDINGS, FORM, JSON, file_fields, media_types

Json = dict[str, Any]
CLIENT = Actor(role=Role.CLIENT)

# What only a body can be refused for.
BODILY = {"400", "408", "413", "415"}
# What only a change can be refused for.
CHANGING = {"412"}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Chosen by the caller: the same request with the same key is done once.",
    "schema": {"type": "string", "maxLength": 200},
}
KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of what the caller holds already.",
    "schema": {"type": "string"},
}
MEANT = {
    "name": "If-Match",
    "in": "header",
    "description": 'The ETag of the record as the caller knows it, or `"<id>.<version>"`: the first record with this '
    "id that the command changes must still be in that version.",
    "schema": {"type": "string"},
}
# What is not sent again to who holds it.
LISTS = (Serves.PAGE, Serves.TIMELINE)
HELD = (Serves.ONE, Serves.SELF, Serves.FILE, *LISTS)
BINARY = {"type": "string", "format": "binary"}


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
        "paths": paths | beside.paths(),
        "components": {
            "schemas": definitions | beside.SCHEMAS,
            "headers": headers(),
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
    return by_model, _local(definitions["$defs"])


def _local(schema: Any) -> Any:
    """The schema with times of day as they are: in somebody's zone, so that they have no offset (`time-local`)."""
    if isinstance(schema, list):
        return [_local(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    local = {"format": "time-local"} if schema.get("format") == "time" else {}
    return {name: _local(part) for name, part in schema.items()} | local


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
        "responses": _responses(row, references),
    }
    if not _public(row):
        operation["security"] = [{"token": []}]
    if issubclass(row.message, Asked) and row.method == "GET":
        operation["parameters"] += _fields_as_parameters(definitions[name], row)
    elif row.serves is Serves.REPLY:
        operation["parameters"] += [KEY, MEANT]
        if body := _body(definitions[name], row):
            operation["requestBody"] = body
    if row.serves in LISTS:
        operation["parameters"] += [_query_parameter(name, row) for name in parameters(row)]
    if row.serves in HELD:
        operation["parameters"].append(KNOWN)
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
        Serves.FILE: f"get{name}{row.file.title().replace('_', '')}",
    }.get(row.serves, name[0].lower() + name[1:])


def _roles(row: Row) -> str:
    if _public(row):
        return "For anybody, without a token."
    return "For " + ", ".join(f"{role} ({reach})" for role, reach in row.reach.items()) + "."


def _public(row: Row) -> bool:
    return ANYONE.role in row.reach


def _responses(row: Row, references: dict[type[BaseModel], Json]) -> Json:
    status = str(row.status)
    responses = {status: _answer(row, references)} | _refusals(row)
    if row.serves in HELD:
        return with_headers(responses, {"ETag": (status, "304")})
    if row.serves is not Serves.REPLY or row.method == "GET":
        return with_headers(responses)
    record = (status,) if _forms(row) else ()
    created = record if status == "201" else ()
    return with_headers(responses, {"Idempotency-Key": responses, "ETag": record, "Location": created})


def _answer(row: Row, references: dict[type[BaseModel], Json]) -> Json:
    if row.serves is Serves.FILE:
        return {
            "description": "The file",
            "content": {media_type: {"schema": BINARY} for media_type in ENDINGS},
        }
    if row.serves is Serves.TIMELINE:
        shapes = [references[Entry]]
    elif forms := _forms(row):
        shapes = [references[shape] for shape in forms]
    else:
        shapes = [references[row.message.reply_type()]] if issubclass(row.message, Asked) else []
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    if row.serves in LISTS:
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
    expected = {"401", "403", "404", "422", "429", "503"}
    if row.serves is Serves.REPLY:
        expected = set(REFUSALS) - (BODILY | CHANGING if row.method == "GET" else set())
    if row.serves in (Serves.PAGE, Serves.EDGE) and "{" not in row.path:
        expected -= {"404"}
    if "token" not in row.message.model_fields:
        expected -= {"410"}
    held = {"304": {"description": "The caller holds it already"}} if row.serves in HELD else {}
    return refusals(expected) | held


def _body(schema: Json, row: Row) -> Json | None:
    """The body in each type that is taken; None where the path says everything."""
    message: type[Asked[BaseModel]] = row.message  # type: ignore[assignment]
    fields = _without(schema, _in_path(row))
    if not fields["properties"]:
        return None
    files = file_fields(message)
    body: Json = {"required": bool(fields.get("required")), "content": {}}
    if files:
        file, whole = MAX_FILE_BYTES // 1_000_000, MAX_UPLOAD // 1_000_000
        body["description"] = f"A file may have {file} MB, the whole body {whole} MB."
    for media_type in media_types(message):
        if media_type == FORM:
            body["content"][FORM] = _form(fields, message)
        elif files or _in_path(row):
            body["content"][JSON] = {"schema": _without(fields, set(files))}
        else:
            body["content"][JSON] = {"schema": {"$ref": f"#/components/schemas/{message.__name__}"}}
    return body


def _without(schema: Json, names: set[str]) -> Json:
    left = {name: value for name, value in schema["properties"].items() if name not in names}
    required = [name for name in schema.get("required", []) if name not in names]
    return schema | {"properties": left, "required": required}


def _form(fields: Json, message: type[Asked[BaseModel]]) -> Json:
    properties = dict(fields["properties"])
    for name, file in file_fields(message).items():
        bounds = {bound: properties[name][bound] for bound in ("minItems", "maxItems") if file.many}
        properties[name] = {"type": "array", "items": BINARY} | bounds if file.many else BINARY
    encoding = {
        name: {"contentType": ", ".join(sorted(file.media_types))}
        for name, file in file_fields(message).items()
    }
    return {"schema": fields | {"properties": properties}, "encoding": encoding}


def _fields_as_parameters(schema: Json, row: Row) -> list[Json]:
    """The fields of a query, under the names that they have in a URL."""
    fields = _without(schema, _in_path(row))
    return [
        {"name": name, "in": "query", "required": name in fields["required"], "schema": value}
        for name, value in fields["properties"].items()
    ]


def _in_path(row: Row) -> set[str]:
    return set(re.findall(r"{(\w+)}", row.path))


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


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
    elif name == "q":
        schema = {"type": "string", "maxLength": MAX_SEARCH}
    elif name in ("from", "to", "created_from", "created_to"):
        schema = {"type": "string", "format": "date-time"}
    return {"name": name, "in": "query", "schema": schema}
