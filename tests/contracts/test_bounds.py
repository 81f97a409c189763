"""Whatever a command, a query or a filter takes can be stored and shown: every value in them has bounds."""

import re
from typing import Any

import pytest
from asked import LEAVES, TAKEN, WRONG, Leaf, refuses
from pydantic import TypeAdapter, ValidationError

from sav_contracts.catalog.stocktake import MOST_COUNTS
from sav_contracts.claims.triage import MOST
from sav_contracts.interventions.act import MOST_ACTS
from sav_contracts.interventions.line import Quantity
from sav_contracts.money import SENT, Amount, Share
from sav_contracts.surface import SURFACE, ListRow

MOST_ITEMS = {"counts": MOST_COUNTS, "items": MOST, "acts": MOST_ACTS}


def test_there_are_messages_to_look_at() -> None:
    assert {form: sum(leaf.form == form for leaf in LEAVES) >= most for form, most in
            {"date-time": 8, "date": 10, "time": 2, "decimal": 6, "uuid": 30}.items()} == dict.fromkeys(
                ("date-time", "date", "time", "decimal", "uuid"), True)  # fmt: skip


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf.form in WRONG], ids=str)
def test_no_time_day_or_amount_is_taken_that_could_not_be_stored(leaf: Leaf) -> None:
    assert [value for value in WRONG[leaf.form] if not refuses(leaf, value)] == []
    assert [value for value in TAKEN.get(leaf.form, []) if refuses(leaf, value)] == []


@pytest.mark.parametrize("leaf", LEAVES, ids=str)
def test_nothing_in_a_message_goes_on_for_ever(leaf: Leaf) -> None:
    schema = leaf.schema
    match schema["type"]:
        case "integer":
            # What PostgreSQL's `integer` holds.
            assert -(2**31) <= schema["minimum"] <= schema["maximum"] < 2**31
        case "string" if not schema.get("format") or schema["format"] == "password":
            # A file is of one of the media types that its field takes.
            if leaf.path[-1] != "media_type":
                assert "maxLength" in schema or not re.search(r"(?<!\\)[*+]|,}", schema["pattern"])
        case "array":
            # A count sheet is long, and its lines are short.
            assert schema["maxItems"] <= MOST_ITEMS.get(str(leaf.path[-1]), 100)
        case "object":
            assert schema["maxProperties"] <= 100


@pytest.mark.parametrize(
    "row", [row for row in SURFACE if isinstance(row, ListRow) and row.filters], ids=lambda row: row.route
)
def test_filters_are_words_ids_or_yes_and_no(row: Any) -> None:
    for name in row.filters:
        schema = TypeAdapter(row.message.model_fields[name].annotation).json_schema()
        for form in schema.get("anyOf", [schema.get("items", schema)]):
            assert form["type"] in ("string", "boolean", "null"), name
            assert form.get("format") in (None, "uuid"), name


@pytest.mark.parametrize(("written", "read"), [("0", "0.00"), ("-0", "0.00"), ("10.5", "10.50"), ("007", "7.00"),
                                               (10, "10.00"), (1e3, "1000.00")])  # fmt: skip
def test_an_amount_is_read_in_one_way_however_it_is_written(written: Any, read: str) -> None:
    assert str(TypeAdapter(Amount).validate_python(written)) == read


@pytest.mark.parametrize(
    "written", ["1e3", "1E+1", "0E-400", "+10", "１０", "٣", " 10", "10 ", "1_0", "10,5", ".5", "5.", ""]
)
@pytest.mark.parametrize("number", [Amount, Share, Quantity], ids=["amount", "share", "quantity"])
def test_an_amount_in_words_is_a_plain_decimal(written: str, number: Any) -> None:
    with pytest.raises(ValidationError, match="decimal"):
        TypeAdapter(number).validate_python(written, context=SENT)
    with pytest.raises(ValidationError, match="decimal"):
        TypeAdapter(number).validate_json(f'"{written}"', context=SENT)


@pytest.mark.parametrize("number", [Amount, Share, Quantity], ids=["amount", "share", "quantity"])
def test_a_log_may_hold_any_spelling(number: Any) -> None:
    assert TypeAdapter(number).validate_json('"1E+1"') == 10
