"""Only numbers are read as numbers: at every place of every command and query."""

import json
from collections.abc import Iterator
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

from sav_contracts.interventions.visit import RecordWork
from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SURFACE
from sav_contracts.surface.rows import MessageRow

NUMBERS = (int, float, Decimal)
Path = tuple[str | int, ...]
SENT = {
    row.message for row in SURFACE if isinstance(row, MessageRow) and issubclass(row.message, RequestMessage)
}
MESSAGES = sorted(SENT, key=lambda message: message.type_name())


def places(form: Any, of: tuple[type, ...] = NUMBERS, inside: tuple[Any, ...] = ()) -> Iterator[Path]:
    """Where such a value is read, in what is read as this type."""
    if get_origin(form) is Annotated:
        yield from places(get_args(form)[0], of, inside)
    elif get_origin(form) in (Union, UnionType):
        members = [one for one in get_args(form) if one is not NoneType]
        if len(members) == 1:
            yield from places(members[0], of, inside)
    elif get_origin(form) in (list, tuple, set, frozenset):
        yield from ((0, *path) for path in places(get_args(form)[0], of, inside))
    elif form in of:
        yield ()
    elif isinstance(form, type) and issubclass(form, BaseModel) and form not in inside:
        for name, field in form.model_fields.items():
            for path in places(field.annotation, of, (*inside, form)):
                yield (field.alias or name, *path)


def value_at(path: Path, value: Any) -> Any:
    for part in reversed(path):
        value = [value] if part == 0 else {part: value}
    return value


CASES = [(message, path) for message in MESSAGES for path in places(message)]


@pytest.mark.parametrize("wrong", [True, "1_0"])
@pytest.mark.parametrize(("message", "path"), CASES, ids=lambda one: getattr(one, "__name__", None))
def test_what_is_no_number_is_not_read_as_one(
    message: type[RequestMessage[Any]], path: Path, wrong: Any
) -> None:
    sent = value_at(path, wrong)
    for read, given in ((message.model_validate, sent), (message.model_validate_json, json.dumps(sent))):
        try:
            read(given)
        except ValidationError as refused:
            kinds = {error["type"] for error in refused.errors() if error["loc"][: len(path)] == path}
        else:
            kinds = set()
        if "acts" in path:  # answered one by one
            continue
        assert kinds & {
            f"{kind}_{why}" for kind in ("int", "float", "decimal") for why in ("type", "parsing")
        }, kinds


def check_refused(message: type[RequestMessage[Any]], path: Path, wrong: Any, why: str) -> None:
    if "acts" in path:  # answered one by one
        return
    with pytest.raises(ValidationError) as refused:
        message.model_validate_json(json.dumps(value_at(path, wrong)))
    assert (path, why) in [(error["loc"], error["type"]) for error in refused.value.errors()]


DECIMALS = [(message, path) for message in MESSAGES for path in places(message, (Decimal,))]


@pytest.mark.parametrize(
    "written", ["1e3", "1E+1", "0E-400", "+10", "１０", "٣", " 10", "10 ", "10,5", ".5", "5.", ""]
)
@pytest.mark.parametrize(("message", "path"), DECIMALS, ids=lambda one: getattr(one, "__name__", None))
def test_a_decimal_in_words_is_a_plain_one(
    message: type[RequestMessage[Any]], path: Path, written: str
) -> None:
    check_refused(message, path, written, "decimal_parsing")


WHOLE = [(message, path) for message in MESSAGES for path in places(message, (int,))]


@pytest.mark.parametrize("written", ["+5", " 5", "5 ", "5\n", "\u20095", "５", "٣", "5.0", "1e3", "0x5", ""])
@pytest.mark.parametrize(("message", "path"), WHOLE, ids=lambda one: getattr(one, "__name__", None))
def test_a_whole_number_in_words_is_a_plain_one(
    message: type[RequestMessage[Any]], path: Path, written: str
) -> None:
    if "acts" in path:  # answered one by one
        return
    with pytest.raises(ValidationError) as refused:
        message.model_validate_json(json.dumps(value_at(path, written)))
    assert (path, "int_parsing") in [(error["loc"], error["type"]) for error in refused.value.errors()]


YES_OR_NO = [(message, path) for message in MESSAGES for path in places(message, (bool,))]


@pytest.mark.parametrize("wrong", [1, 0, "true", "no"])
@pytest.mark.parametrize(("message", "path"), YES_OR_NO, ids=lambda one: getattr(one, "__name__", None))
def test_json_says_yes_or_no_only_by_true_and_false(
    message: type[RequestMessage[Any]], path: Path, wrong: Any
) -> None:
    check_refused(message, path, wrong, "bool_type")


def test_all_over_the_surface() -> None:
    assert len(CASES) > 60
    assert {path[-1] for _, path in WHOLE} >= {"minutes", "co_ppm", "rating"}
    assert {path[-1] for _, path in DECIMALS} >= {"amount", "percent", "quantity", "travel_km", "power_kw"}
    assert ("labour", 0, "minutes") in [path for message, path in CASES if message is RecordWork]


WORK = {
    "intervention_id": "018e0000-0000-7000-8000-000000000001",
    "solution": "purgé",
    "labour": [{"description": "purge", "minutes": 20}],
}


def test_text_of_numbers_is_read() -> None:
    """As forms and query strings send it."""
    read = RecordWork.model_validate(WORK | {"travel_km": "12.5", "co_ppm": "3", "tasks": []})
    assert (read.travel_km, read.co_ppm) == (Decimal("12.5"), 3)


@pytest.mark.parametrize("other", [" a", "a ", "a\u200b", "a\u00a0"])
def test_no_reading_is_lost(other: str) -> None:
    with pytest.raises(ValidationError) as refused:
        RecordWork.model_validate(WORK | {"readings": {"a": "1", other: "2"}})
    [error] = refused.value.errors()
    assert (error["loc"], error["type"]) == (("readings",), "named_twice")
    assert RecordWork.model_validate(WORK | {"readings": {" a": "1", "b": "2"}}).readings == {
        "a": "1",
        "b": "2",
    }
