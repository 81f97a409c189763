"""OpenAPI 3.1, from the surface and the messages."""

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from sav_chassis.errors import Problem
from sav_contracts.actor import ANYONE, Actor, Role
from sav_contracts.files import MAX_UPLOAD
from sav_contracts.messages import RequestMessage, View
from sav_contracts.surface import (
    SURFACE,
    AnyRow,
    DashboardRow,
    EdgeQueryRow,
    ExportRow,
    FieldRow,
    FileRow,
    ListRow,
    MessageRow,
    OwnRecordRow,
    PaperRow,
    ReadRow,
    RecordRow,
    SignedRow,
    TextRow,
    TimelineRow,
)
from sav_contracts.timeline import Entry
from sav_edge import downloads, openapi_extras, openapi_parameters
from sav_edge.bodies import FORM, JSON, file_fields, media_types
from sav_edge.exports import FORMATS, OF_PAGES
from sav_edge.list_query import form, parameters
from sav_edge.openapi_responses import REFUSALS, headers, refusals, with_headers
from sav_edge.papers import PAPERS
from sav_edge.picture_sizes import LONGEST
from sav_edge.routes import PREFIX
from sav_edge.screen_upload import PDF

Json = dict[str, Any]
CLIENT = Actor(role=Role.CLIENT)

# Statuses of refusals that only a request with a body gets.
BODILY = {"400", "408", "413", "415"}
# Statuses of refusals that only a change gets.
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
RESULTS_FOR: Json = {
    "results_for": {
        "type": "string",
        "description": "What was searched for in place of `q`",
    }
}
PICTURE = {
    "size": "; ".join(f"`{size}`: no side over {longest} pixels" for size, longest in LONGEST.items())
    + "; `large`: as it was stored, no side over 2560. A picture is never enlarged, and a PDF has one size.",
    "v": "The `sha256` of the file in its record: with it, this address is that of one picture for good, which a browser "
    "does not ask for again. Without it, it asks again after five minutes.",
}
EXPORTED = (
    "All that the caller may see, as a table: with `format=csv` as spreadsheets open it in France (semicolons, commas "
    "in amounts, UTF-8 with its mark), with `format=xlsx` as a workbook. An import takes it back. Texts are only ever "
    "texts: in the CSV an apostrophe stands before what would begin a formula."
)
FORMAT = {
    "name": "format",
    "in": "query",
    "schema": {"type": "string", "enum": ["csv", "xlsx"], "default": "csv"},
}
BINARY = {"type": "string", "format": "binary"}


def document() -> Json:
    """The OpenAPI document of every route, for people and for generators of clients."""
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
        "paths": paths | openapi_extras.paths(),
        "components": {
            "schemas": definitions | openapi_extras.SCHEMAS,
            "headers": headers(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _schemas() -> tuple[dict[type[BaseModel], Json], dict[str, Json]]:
    models: set[tuple[type[BaseModel], JsonSchemaMode]] = {
        (Problem, "serialization"),
        (Entry, "serialization"),
    }
    for row in SURFACE:
        if isinstance(row, MessageRow | EdgeQueryRow):
            models.add((row.message, "validation"))
            models.add((row.reply, "serialization"))
        if isinstance(row, DashboardRow):
            models |= {(row.shown, "serialization"), (row.shown_to_client, "serialization")}
        if isinstance(row, FieldRow):
            models.add((row.shown, "serialization"))
        for shown in _forms(row):
            models.add((shown, "serialization"))
    ordered = sorted(models, key=lambda item: (item[0].__name__, item[1]))
    found, definitions = models_json_schema(ordered, ref_template="#/components/schemas/{model}")
    by_model = {model: schema for (model, _), schema in found.items() if issubclass(model, BaseModel)}
    return by_model, _local(definitions["$defs"])


def _local(schema: Any) -> Any:
    """The schema with times of day as `time-local`, in somebody's own zone. A field's own examples replace its type's."""
    if isinstance(schema, list):
        return [_local(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    local = {"format": "time-local"} if schema.get("format") == "time" else {}
    if "examples" in schema and "anyOf" in schema:
        plain = [{name: part[name] for name in part if name != "examples"} for part in schema["anyOf"]]
        schema = schema | {"anyOf": plain}
    return {name: _local(part) for name, part in schema.items()} | local


def _forms(row: AnyRow) -> list[type[View]]:
    reply = row.reply
    if not issubclass(reply, View):
        return []
    shapes = [reply] if row.roles - {Role.CLIENT} else []
    if Role.CLIENT in row.roles and form(reply, CLIENT) not in shapes:
        shapes.append(form(reply, CLIENT))
    return shapes


def _operation(row: AnyRow, references: dict[type[BaseModel], Json], definitions: dict[str, Json]) -> Json:
    name = row.message.__name__
    fields: Json = definitions[name]["properties"] if isinstance(row, MessageRow | EdgeQueryRow) else {}
    operation: Json = {
        "operationId": _operation_id(row),
        "tags": [row.message.owner],
        "summary": row.feature,
        "description": _described(row),
        "parameters": [
            openapi_parameters.in_path(part, fields.get(part)) for part in re.findall(r"{(\w+)}", row.path)
        ],
        "responses": _responses(row, references),
    }
    if not _public(row):
        operation["security"] = [{"token": []}]
    if isinstance(row, MessageRow | EdgeQueryRow) and row.method == "GET":
        operation["parameters"] += _fields_as_parameters(definitions[name], row)
    elif isinstance(row, MessageRow):
        operation["parameters"] += [KEY, MEANT]
        if body := _body(definitions[name], row):
            operation["requestBody"] = body
    if isinstance(row, ListRow | TimelineRow):
        operation["parameters"] += [openapi_parameters.in_query(name, row) for name in parameters(row)]
    if isinstance(row, FileRow) and row.sizes:
        operation["parameters"] += [
            {"name": name, "in": "query", "description": PICTURE[name], "schema": schema}
            for name, schema in downloads.form(row).model_json_schema()["properties"].items()
        ]
    if isinstance(row, ExportRow):
        operation["parameters"].append(FORMAT)
        names = [name for name in parameters(row.list) if name not in OF_PAGES]
        operation["parameters"] += [openapi_parameters.in_query(name, row.list) for name in names]
    elif _tagged(row):
        operation["parameters"].append(KNOWN)
    return operation


def _described(row: AnyRow) -> str:
    match row:
        case MessageRow():
            said = row.message.__doc__
        case ExportRow():
            said = EXPORTED
        case DashboardRow():
            said = f"{row.shown.__doc__} Each figure names the list of the same records."
        case ListRow():
            said = (
                "What the caller may see, newest first; `next` of a page is the `after` of the following one."
            )
        case PaperRow():
            said = f"{PAPERS[row.paper].__doc__} In the language that the caller prefers (`Accept-Language`)."
        case FieldRow():
            said = f"As the caller may see it. {row.shown.__doc__}"
        case TimelineRow():
            said = "What happened, oldest first, as far as the caller may see it."
        case _:
            said = f"As the caller may see it. {row.message.__doc__}"
    return f"{said}\n\n{_roles(row)}"


def _operation_id(row: AnyRow) -> str:
    name = row.message.__name__.removesuffix("View")
    match row:
        case DashboardRow():
            return f"get{name}{row.shown.__name__}"
        case ListRow():
            return f"list{name}s"
        case ExportRow():
            return f"export{name}s"
        case RecordRow():
            return f"get{name}{_by_id(row)}"
        case FieldRow():
            return f"get{name}{row.field.title().replace('_', '')}"
        case OwnRecordRow():
            return f"getMy{name}"
        case TimelineRow():
            return f"get{name}Timeline"
        case PaperRow():
            return f"get{row.paper.title().replace('_', '')}"
        case FileRow():
            return f"get{name}{row.file.title().replace('_', '')}{_by_id(row)}"
        case MessageRow() | EdgeQueryRow():
            return name[0].lower() + name[1:]


def _by_id(row: RecordRow | FileRow) -> str:
    """`ById` where the record has its id in the path, and another row shows the newest one of a parent."""
    own = f"{{{row.message.kind()}_id}}"
    others = [one for one in SURFACE if type(one) is type(row) and one.message is row.message]
    return "ById" if own in row.path and any(own not in one.path for one in others) else ""


def _roles(row: AnyRow) -> str:
    if _public(row):
        return "For anybody, without a token."
    seen = [f"{role} ({row.rule(role)})" if row.view else role for role in Role if role in row.roles]
    return f"For {', '.join(seen)}."


def _public(row: AnyRow) -> bool:
    return ANYONE.role in row.roles


def _responses(row: AnyRow, references: dict[type[BaseModel], Json]) -> Json:
    status = str(row.status)
    responses = {status: _answer(row, references)} | _refusals(row)
    if _tagged(row):
        return with_headers(responses, {"ETag": (status, "304")})
    if isinstance(row, EdgeQueryRow) or row.method == "GET":
        return with_headers(responses)
    record = (status,) if _forms(row) else ()
    created = record if status == "201" else ()
    return with_headers(responses, {"Idempotency-Key": responses, "ETag": record, "Location": created})


def _answer(row: AnyRow, references: dict[type[BaseModel], Json]) -> Json:
    if isinstance(row, PaperRow):
        return {"description": "The paper", "content": {PDF: {"schema": BINARY}}}
    if isinstance(row, FileRow):
        return {
            "description": "The file",
            "content": {media_type: {"schema": BINARY} for media_type in row.media_types},
        }
    if isinstance(row, TextRow):
        return openapi_extras.text_answer(row)
    if isinstance(row, ExportRow):
        content = {media_type.partition(";")[0]: {"schema": BINARY} for media_type in FORMATS.values()}
        return {"description": "The table", "content": content}
    if isinstance(row, TimelineRow):
        shapes = [references[Entry]]
    elif isinstance(row, FieldRow):
        shapes = [references[row.shown]]
    elif isinstance(row, DashboardRow):
        shapes = [references[row.shown], references[row.shown_to_client]]
    else:
        shapes = [references[shape] for shape in _forms(row)] or [references[row.reply]]
    schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
    if isinstance(row, ListRow | TimelineRow):
        schema = {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": {"type": "array", "items": schema},
                "next": {"type": ["string", "null"], "description": "The `after` of the following page"},
            }
            | (RESULTS_FOR if isinstance(row, ListRow) and row.search else {}),
        }
    return {
        "description": "Done" if isinstance(row, MessageRow) else "Found",
        "content": {"application/json": {"schema": schema}},
    }


def _refusals(row: AnyRow) -> Json:
    expected = {"401", "403", "404", "422", "429", "503"}
    if isinstance(row, MessageRow):
        expected = set(REFUSALS) - (BODILY | CHANGING if row.method == "GET" else set())
    if isinstance(row, ListRow | EdgeQueryRow | ExportRow | DashboardRow) and "{" not in row.path:
        expected -= {"404"}
    if "token" not in row.message.model_fields:
        expected -= {"410"}
    held = {"304": {"description": "The caller holds it already"}} if _tagged(row) else {}
    return refusals(expected, row.message.owner) | held


def _tagged(row: AnyRow) -> bool:
    """Whether its answers have a tag, and a caller who holds one gets none."""
    if isinstance(row, TextRow):
        return bool(row.held)
    return isinstance(row, ReadRow) and not isinstance(row, ExportRow)


def _body(schema: Json, row: MessageRow) -> Json | None:
    """The request body in each accepted content type; None where the path holds all fields."""
    if isinstance(row, SignedRow):
        return openapi_extras.signed_body(row)
    message, fields = row.message, _without(schema, _in_path(row))
    if not fields["properties"]:
        return None
    files = file_fields(message)
    body: Json = {"required": bool(fields.get("required")), "content": {}}
    if files:
        file, whole = max(field.takes.most for field in files.values()) // 1_000_000, MAX_UPLOAD // 1_000_000
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


def _form(fields: Json, message: type[RequestMessage[BaseModel]]) -> Json:
    properties = dict(fields["properties"])
    for name, file in file_fields(message).items():
        bounds = {bound: properties[name][bound] for bound in ("minItems", "maxItems") if file.many}
        properties[name] = {"type": "array", "items": BINARY} | bounds if file.many else BINARY
    encoding = {
        name: {"contentType": ", ".join(sorted(file.takes.sent))}
        for name, file in file_fields(message).items()
    }
    return {"schema": fields | {"properties": properties}, "encoding": encoding}


def _fields_as_parameters(schema: Json, row: AnyRow) -> list[Json]:
    fields = _without(schema, _in_path(row))
    return [
        {"name": name, "in": "query", "required": name in fields["required"], "schema": value}
        for name, value in fields["properties"].items()
    ]


def _in_path(row: AnyRow) -> set[str]:
    return set(re.findall(r"{(\w+)}", row.path))
