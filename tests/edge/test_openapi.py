"""The description of the API: valid, whole, and without anything from outside."""

import json
import re
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic_core import from_json
from references import references
from stories import done
from system import System, app_behind

from sav_contracts.actor import Role
from sav_contracts.messages import RequestMessage, View
from sav_contracts.surface import (
    SURFACE,
    ExportRow,
    FileRow,
    ListRow,
    MessageRow,
    PaperRow,
    Row,
    SignedRow,
    TextRow,
    TimelineRow,
)
from sav_edge.bodies import file_fields
from sav_edge.openapi_extras import ID as HINTED
from sav_edge.pages import PAGES
from sav_edge.stream import ALIVE, _event
from sav_ops.documents import error_codes

Json = dict[str, Any]


@pytest.fixture(scope="module")
async def document(system: System) -> Json:
    return done(await system.http.get("/openapi.json"))


# Beside the rows. The page's scripts and its redirect are parts of `/docs`.
BESIDE = {
    "/stream",
    "/health/live",
    "/health/ready",
    "/.well-known/jwks.json",
    "/openapi.json",
    "/asyncapi.json",
    "/schemas/{file}",
    "/docs",
}
# For people, and what their pages load.
PARTS = {
    "/",
    "/docs/start.js",
    "/docs/assets/{file_path}",
    "/pages/look.css",
    "/pages/logo",
    "/back-from-payment",
    *(f"/{page.name}" for page in PAGES),
    *(f"/{page.name}.pdf" for page in PAGES if page.paper),
}


def operations(document: Json) -> list[Json]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def operation(document: Json, row: Row) -> Json:
    found: Json = document["paths"][f"/api{row.path}"][row.method.lower()]
    return found


def test_the_description_is_valid_openapi(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_every_row_is_described_and_nothing_else(document: Json) -> None:
    described = {
        f"{method.upper()} {path.removeprefix('/api')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert described == {row.route for row in SURFACE} | {f"GET {path}" for path in BESIDE}


def test_everything_that_answers_is_described(document: Json, system: System) -> None:
    app = app_behind(system.http)
    answering = {re.sub(r":\w+}", "}", route.path) for route in app.routes}
    # A row's path is there without what follows its last id.
    described = {re.sub(r"}\.\w+$", "}", path) for path in document["paths"]}
    assert answering - described == PARTS
    assert described < answering


async def test_what_the_description_shows_as_a_schemas_file_is_one(document: Json, system: System) -> None:
    [file] = document["paths"]["/schemas/{file}"]["get"]["parameters"]
    assert done(await system.http.get(f"/schemas/{file['example']}"))["title"] == "ReclamationCreated"


def test_a_stream_is_described_with_what_is_heard_and_where_to_go_on(document: Json) -> None:
    stream = document["paths"]["/stream"]["get"]
    assert stream["security"] == [{"token": []}]
    assert [parameter["name"] for parameter in stream["parameters"]] == ["Last-Event-ID"]
    assert stream["responses"].keys() == {"200", "401", "403", "422", "429", "503"}
    told = stream["responses"]["200"]["content"]["text/event-stream"]
    # As the stream itself writes it.
    hint = _event("reclamation", UUID(HINTED), 3)
    assert told["example"].startswith(hint.decode())
    assert told["example"].endswith(ALIVE.decode())
    for word in ("reset", "expired", "404", "through", "fetch"):
        assert word in stream["description"]
    shape = document["components"]["schemas"]["Hint"]
    heard = from_json(hint.partition(b"data: ")[2])
    Draft202012Validator(shape).validate(heard)
    assert not Draft202012Validator(shape).is_valid(heard | {"kind": "signing_key"})


def test_every_operation_has_an_id_of_its_own(document: Json) -> None:
    names = Counter(operation["operationId"] for operation in operations(document))
    assert [name for name, times in names.items() if times > 1] == []
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in names)


def test_a_refusal_says_which_codes_its_status_may_have(document: Json) -> None:
    known = {(str(status), code) for code, told in error_codes.statuses().items() for status in told}
    seen = set()
    for described in operations(document):
        for status, answer in described["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                if media_type == "application/problem+json":
                    _, narrowed = content["schema"]["allOf"]
                    codes = narrowed["properties"]["code"]["enum"]
                    assert codes == sorted(codes)
                    assert {(status, code) for code in codes} <= known
                    seen |= {(status, code) for code in codes}
    # What comes before any route, and what is our own fault, is described nowhere.
    assert {code for _, code in known - seen} == {"head_too_large", "method_not_allowed", "internal"}


def test_what_a_problem_holds_for_the_edge_alone_is_not_described(document: Json) -> None:
    assert "french" not in document["components"]["schemas"]["Problem"]["properties"]
    assert "French" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: Json) -> None:
    found = list(references(document))
    assert found
    for reference in found:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place


@pytest.mark.parametrize("row", SURFACE, ids=lambda row: row.route)
def test_a_row_says_what_it_takes_and_answers(document: Json, row: Row) -> None:
    described = operation(document, row)
    assert str(row.status) in described["responses"]
    assert described["summary"] == row.feature
    public = Role.ANYONE in row.roles
    assert ("security" in described) is not public
    parameters = {(parameter["in"], parameter["name"]) for parameter in described["parameters"]}
    in_path = set(re.findall(r"{(\w+)}", row.path))
    assert {name for place, name in parameters if place == "path"} == in_path
    in_query = {name for place, name in parameters if place == "query"}
    if isinstance(row, MessageRow) and row.method == "GET":
        aliases = {field.alias or name for name, field in row.message.model_fields.items()}
        assert in_query == aliases - in_path
        assert "requestBody" not in described
    elif isinstance(row, MessageRow):
        assert ("header", "Idempotency-Key") in parameters
        assert {"400", "413", "415"} <= described["responses"].keys()
        fields = row.message.model_fields.keys() - in_path
        assert ("requestBody" in described) is bool(fields)
        for media_type, body in described.get("requestBody", {"content": {}})["content"].items():
            if isinstance(row, SignedRow):
                assert body["schema"] == {"type": "object"}  # its sender says what it is
                continue
            check_body(document, row, media_type, body["schema"], fields)
    if isinstance(row, PaperRow):
        assert described["responses"]["200"]["content"].keys() == {"application/pdf"}
        assert "content" not in described["responses"]["304"]
    if isinstance(row, FileRow):
        assert in_query == ({"size", *(["v"] if row.is_for_all else [])} if row.sizes else set())
        content = described["responses"]["200"]["content"]
        assert set(row.media_types) == content.keys()
        assert all(told["schema"]["format"] == "binary" for told in content.values())
        assert "content" not in described["responses"]["304"]
    if isinstance(row, ListRow):
        more = {*(["q"] if row.search else []), *(["from", "to"] if row.has_interval else [])}
        more |= {f"{name.removesuffix('_at')}_{end}" for name in row.ranges for end in ("from", "to")}
        assert in_query == {*row.filters, *more, "limit", "after", "sort", "created_from", "created_to"}
    if isinstance(row, TimelineRow):
        assert in_query == {"limit", "after"}
    if isinstance(row, ExportRow):
        assert in_query == {"format", *row.list.filters, "q", "created_from", "created_to"}


def test_what_has_a_tag_says_so(document: Json) -> None:
    for row in SURFACE:
        described = operation(document, row)
        tagged = {code for code, answer in described["responses"].items() if "ETag" in answer["headers"]}
        asks = {parameter["name"] for parameter in described["parameters"]}
        if isinstance(row, ExportRow):
            assert (tagged, "If-None-Match" in asks) == (set(), False)
        elif not issubclass(row.message, RequestMessage) or (isinstance(row, TextRow) and row.held):
            assert (tagged, "If-None-Match" in asks) == ({"200", "304"}, True)
        elif issubclass(row.message.reply_type(), View):
            assert (tagged, "If-Match" in asks) == ({str(row.status)}, True)
            assert ("Location" in described["responses"][str(row.status)]["headers"]) is (row.status == 201)
        else:
            assert tagged == set()


def check_body(document: Json, row: Row, media_type: str, schema: Json, fields: set[str]) -> None:
    """Every field is there once, but for files in JSON."""
    assert issubclass(row.message, RequestMessage)
    files = set(file_fields(row.message))
    assert media_type in ("application/json", "multipart/form-data")
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert schema["properties"].keys() == (fields if media_type != "application/json" else fields - files)
    assert set(schema.get("required", [])) <= schema["properties"].keys()


def test_a_row_that_takes_files_says_how(document: Json) -> None:
    rows = {
        row.route: operation(document, row)["requestBody"]["content"] for row in SURFACE if takes_files(row)
    }
    assert rows["POST /products"].keys() == {"application/json", "multipart/form-data"}
    assert rows["PUT /products/{product_id}/proof"].keys() == {"multipart/form-data"}
    proof = rows["PUT /products/{product_id}/proof"]["multipart/form-data"]
    assert proof["schema"]["properties"]["proof"] == {"type": "string", "format": "binary"}
    read = "application/pdf, image/heic, image/heif, image/jpeg, image/png, image/webp"
    assert proof["encoding"]["proof"]["contentType"] == read
    photos = rows["POST /reclamations/{reclamation_id}/photos"]["multipart/form-data"]["schema"]
    assert photos["properties"]["photos"] == {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "minItems": 1,
        "maxItems": 6,
    }


def takes_files(row: Row) -> bool:
    return issubclass(row.message, RequestMessage) and bool(file_fields(row.message))


def test_the_names_of_a_query_are_those_of_its_url(document: Json) -> None:
    row = next(row for row in SURFACE if row.route == "GET /slots")
    names = {parameter["name"] for parameter in operation(document, row)["parameters"]}
    assert {"from", "to", "technician_id"} <= names


def test_only_ids_are_described_as_ids_in_paths(document: Json) -> None:
    formats = {
        (parameter["name"].endswith("_id"), parameter["schema"].get("format") == "uuid")
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation.get("parameters", [])
        if parameter.get("in") == "path" and parameter["name"] != "event"
    }
    assert formats == {(True, True), (False, False)}


def test_a_description_calls_parameters_as_the_url_does(document: Json) -> None:
    renamed = [
        (row, name)
        for row in SURFACE
        if isinstance(row, MessageRow)
        for name, field in row.message.model_fields.items()
        if field.alias and field.alias != name
    ]
    assert renamed
    for row, name in renamed:
        method, path = row.route.split()
        said = document["paths"][f"/api{path}"][method.lower()]["description"]
        assert f"`{name}`" not in said, (row.route, name)


def test_what_a_client_reads_is_described_beside_what_staff_read(document: Json) -> None:
    row = next(row for row in SURFACE if row.route == "GET /reclamations/{reclamation_id}")
    schema = operation(document, row)["responses"]["200"]["content"]["application/json"]["schema"]
    names = {shape["$ref"].rpartition("/")[2] for shape in schema["anyOf"]}
    assert names == {"ReclamationView", "ReclamationForClient"}
    assert "priority" not in document["components"]["schemas"]["ReclamationForClient"]["properties"]


async def test_the_page_to_try_it_on_loads_nothing_from_outside(system: System) -> None:
    page = await system.http.get("/docs")
    assert page.status_code == 200
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text)
    assets = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert len(assets) >= 2
    for asset in assets:
        assert (await system.http.get(asset)).status_code == 200


def test_a_request_shows_what_people_write(document: Json) -> None:
    written = document["components"]["schemas"]["OpenReclamation"]["properties"]
    assert written["description"]["examples"] == [
        "La chaudière ne démarre plus, les radiateurs restent froids."
    ]
    [row] = (row for row in SURFACE if row.message.__name__ == "SendBackReport")
    body = operation(document, row)["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["reason"]["examples"] == ["Il manque la pression après remise en service."]
    # A field that may be missing shows its own examples, not those of its type too.
    place = document["components"]["schemas"]["PlaceGiven"]["properties"]["access_notes"]
    assert place["examples"] == ["Code 42B, deuxième étage"]
    assert "Convenu au téléphone" not in json.dumps(place, ensure_ascii=False)


def test_a_route_names_the_codes_of_its_owner_and_of_all_but_of_no_other_room(document: Json) -> None:
    [moves] = (row for row in SURFACE if row.message.__name__ == "MoveIntervention")
    answers = operation(document, moves)["responses"]
    content = answers["409"]["content"]["application/problem+json"]["schema"]
    codes = set(content["allOf"][1]["properties"]["code"]["enum"])
    assert {"illegal_move", "tasks_open", "air_is_dangerous", "measure_again", "work_missing"} <= codes
    assert not codes & {"article_retired", "address_taken", "slot_taken"}


def test_a_move_says_what_it_needs(document: Json) -> None:
    schemas = document["components"]["schemas"]
    [row] = (row for row in SURFACE if row.message.__name__ == "MoveIntervention")
    fields = operation(document, row)["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert all(word in fields["cause"]["description"] for word in ("`paused`", "`incomplete`", "`parts`"))
    assert all(word in fields["reason"]["description"] for word in ("`declined`", "`no_access`"))
    assert "every task is answered" in operation(document, row)["description"]
    work = schemas["RecordWork"]["properties"]
    assert all(number in work["co_ppm"]["description"] for number in ("10", "50"))
    assert "completed" in work["tasks"]["description"]
