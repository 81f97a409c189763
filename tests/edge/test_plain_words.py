"""What a wrong value is told: a sentence for people, in both languages, whatever is wrong with which field."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from recipes import Scene
from stories import refused

from sav_chassis.errors import WrongFields
from sav_chassis.pydantic_messages import ANOTHER, EMPTY, PATTERNS, SHAPES, SINGULAR, meant
from sav_contracts.actor import Role
from sav_contracts.auth.account import VerifyEmail
from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SURFACE

MESSAGES = list(dict.fromkeys(row.message for row in SURFACE if issubclass(row.message, RequestMessage)))
# What is wrong for one kind of field or another.
WRONG: list[Any] = [
    None, True, 0, -1, -(10**9), 1.5, 10**9, 10**15, 10**5000, 1e300, "", " ", "x", "é", "a\0b", "a\x1b", "two\nlines", "x" * 5000,
    "9" * 60, "9" * 5000, "0.12345", "nan", "2026-02-30", "2026-02-03T10:00:00", "2026-02-03T10:00:00Z", "25:00", "2999-01-01", "xy@",
    [], ["x"], [None], [{}] * 301, {}, {"x": 1}, {"x" * 5000: "x"},
]  # fmt: skip
# What a schema's node, or a bound that it has, may refuse.
KINDS = {
    "str": {"string_type"}, "int": {"int_type", "int_parsing"}, "decimal": {"decimal_type", "decimal_parsing"},
    "date": {"date_from_datetime_parsing"}, "time": {"time_parsing"}, "datetime": {"datetime_from_date_parsing"},
    "uuid": {"uuid_parsing", "uuid_type"}, "bool": {"bool_type", "bool_parsing"}, "list": {"list_type"},
    "literal": {"literal_error"}, "dict": {"dict_type"},
}  # fmt: skip
BOUNDS = {
    "pattern": "string_pattern_mismatch", "ge": "greater_than_equal", "le": "less_than_equal", "gt": "greater_than",
    "lt": "less_than", "max_digits": "decimal_max_digits", "decimal_places": "decimal_max_places",
    "tz_constraint": "timezone_aware",
}  # fmt: skip
# What only those read who wrote the program: pydantic's words, its classes, regular expressions.
TECHNICAL = re.compile(
    r"pydantic|should|Input|String |Value error|Assertion|value is not|instance|class|type=|Decimal|\\x|\^|\$|\[|\]|\(\?"
)


def paths(form: Any) -> Iterator[tuple[str, ...]]:
    """The way to every field of a model, at any depth."""
    if isinstance(form, type) and issubclass(form, BaseModel):
        for name, field in form.model_fields.items():
            yield (field.alias or name,)
            for further in paths(field.annotation):
                yield (field.alias or name, *further)
    else:
        for part in get_args(form):
            yield from paths(part)


def sent(path: tuple[str, ...], value: Any) -> Any:
    """The value at this place, both as one and as one of a list."""
    for name in reversed(path):
        value = {name: value}
    return value


def listed(path: tuple[str, ...], value: Any) -> Any:
    inner: Any = value
    for name in reversed(path[1:]):
        inner = {name: inner}
    return {path[0]: [inner]}


def deep(path: tuple[str, ...], value: Any) -> Any:
    """Within a list in one of a list."""
    return listed(path[:2], listed(path[2:], value)) if len(path) > 3 else {}


def errors(message: type[RequestMessage[Any]]) -> Iterator[ValidationError]:
    """Everything that its fields refuse."""
    for path in [("no_such_field",), *paths(message)]:
        for value in WRONG:
            for fields in (sent(path, value), listed(path, value), deep(path, value)):
                try:
                    message.model_validate(fields)
                except ValidationError as error:
                    yield error


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """All of a schema that may refuse by itself, but for the keys of objects: in JSON they are texts.

    What a function of ours reads first (canonical forms, times) is refused by its own sentence.
    """
    parts: Any = schema if isinstance(schema, list | tuple) else ()
    if isinstance(schema, dict):
        yield schema
        ours = schema.get("type") in ("function-before", "function-wrap")
        parts = () if ours else [part for name, part in schema.items() if name != "keys_schema"]
    for part in parts:
        yield from nodes(part)


def may_refuse(message: type[RequestMessage[Any]]) -> set[str]:
    found = set()
    for node in nodes(message.__pydantic_core_schema__):
        kind = node.get("type")
        found |= KINDS.get(kind, set()) if isinstance(kind, str) else set()
        found |= {
            error for bound, error in BOUNDS.items() if node.get(bound) is not None and kind != "datetime"
        }
        for bound, many in (("max_length", "too_long"), ("min_length", "too_short")):
            if node.get(bound) and kind in ("str", "list"):
                found.add(f"string_{many}" if kind == "str" else many)
    return found


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.__name__)
def test_every_refusal_of_a_field_is_a_sentence_for_people(message: type[RequestMessage[Any]]) -> None:
    provoked: set[str] = set()
    for error in errors(message):
        provoked |= {one["type"] for one in error.errors()}
        problem = WrongFields.from_pydantic(error).problem
        for one, now in zip(problem.errors or (), problem.in_french().errors or (), strict=True):
            assert not TECHNICAL.search(one.message), (one, error)
            assert not TECHNICAL.search(now.message), (now, error)
            assert one.message != ANOTHER.en, error
            assert now.message != one.message, "it has no French"
            assert re.fullmatch(r"[a-z][a-z0-9_]*(\.([a-z][a-z0-9_]*|\d+))*", one.field), one.field
    assert may_refuse(message) - provoked == set()


@pytest.mark.parametrize(
    ("sent", "told"), [("x" * 1001, "at most 1000 characters are expected"), ("", EMPTY.en)]
)
def test_how_long_a_secret_may_be_is_told_in_characters(sent: str, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        VerifyEmail.model_validate({"token": sent})
    problem = WrongFields.from_pydantic(caught.value).problem
    assert [error.message for error in problem.errors or ()] == [told]


@pytest.mark.parametrize(
    ("most", "en", "fr"),
    [
        (1, "at most one decimal place is expected", "au plus une décimale est attendue"),
        (2, "at most 2 decimal places are expected", "au plus 2 décimales sont attendues"),
    ],
)
def test_one_is_told_in_the_singular(most: int, en: str, fr: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[Decimal, Field(decimal_places=most)]).validate_python("0.125")
    [error] = caught.value.errors()
    assert meant(error) == (en, fr)


def test_every_singular_has_its_plural() -> None:
    assert set(SINGULAR) < set(SHAPES)
    for kind, said in SINGULAR.items():
        assert said != SHAPES[kind]
        assert "{" not in said.en + said.fr, "it names its number"


def test_every_pattern_of_a_field_says_in_words_what_it_takes() -> None:
    patterns = {
        node["pattern"]
        for message in MESSAGES
        for node in nodes(message.__pydantic_core_schema__)
        if "pattern" in node
    }
    assert patterns - set(PATTERNS) == set()


async def test_a_body_that_is_no_json_is_told_where(scene: Scene) -> None:
    headers = {"Content-Type": "application/json", "Accept-Language": "fr"}
    for body, told in (
        (b'{"article": }', "ligne 1, colonne 13"),
        (b'{"article": "x"} and more', "ligne 1, colonne 18"),
        (b"{\n'article': 1}", "ligne 2, colonne 1"),
        (b"[" * 1000, "imbriqués"),
    ):
        answer = await scene.near.client.ask("POST", "/reclamations", content=body, headers=headers)
        assert told in refused(answer, 400, "malformed")["detail"]


async def test_a_form_that_cannot_be_read_is_told_what_is_expected(scene: Scene) -> None:
    path = f"/reclamations/{scene.near.records['reclamation']}/photos"
    for boundary, body in (("x", b"nothing"), ("", b""), ("x", b"--x\r\nno header\r\n\r\n--x--")):
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = await scene.near.client.ask("POST", path, content=body, headers=headers)
        assert "the boundary in its Content-Type" in refused(answer, 400, "malformed")["detail"]


async def test_what_is_not_for_a_role_says_for_whom_it_is(scene: Scene) -> None:
    told = refused(await scene.near.client.get("/users"), 403, "not_allowed")["detail"]
    assert told == "Only managers and admins may do this"
    told = refused(await scene.near.technician.get("/policies"), 403, "not_allowed")["detail"]
    assert told == "Only admins may do this"
    answer = await scene.near.technician.ask("GET", "/policies", headers={"Accept-Language": "fr"})
    assert refused(answer, 403, "not_allowed")["detail"] == "Seuls les administrateurs peuvent le faire"
    [admin] = [role for role in Role if role is Role.ADMIN]
    answer = await scene.who(admin).post("/interventions/0/report/validate")
    assert refused(answer, 403, "not_allowed")["detail"] == "Only managers may do this"


async def test_where_there_is_nothing_is_told_where_the_description_is(scene: Scene) -> None:
    for path in ("/nothing", "/me/nothing", "/articles/1/2/3"):
        assert "/docs" in refused(await scene.admin.get(path), 404, "not_found")["detail"]
    answer = await scene.admin.ask("PATCH", "/articles")
    assert refused(answer, 405, "method_not_allowed")["detail"].startswith("This address takes GET, ")
