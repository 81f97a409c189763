"""What a new schema may add to an older one, and every way in which it breaks it."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from sav_contracts.calendar.conflict import ConflictDetected
from sav_contracts.calendar.hours import HoursChanged
from sav_contracts.claims.reclamation import TechnicianAssigned
from sav_contracts.interventions.invoice import InvoicePaid
from sav_contracts.interventions.visit import WorkRecorded
from sav_ops.documents.schema_compatibility import Break, breaks
from sav_ops.documents.schema_revisions import schema

Json = dict[str, Any]
# Changes the field of an object's schema, and says whether there was something to change.
Change = Callable[[Json, str], bool]

SCHEMAS = [
    schema(event) for event in (TechnicianAssigned, WorkRecorded, InvoicePaid, HoursChanged, ConflictDetected)
]
NULL = {"type": "null"}


def objects(schema: Json) -> Iterator[Json]:
    for told in (schema, *schema.get("$defs", {}).values()):
        if "properties" in told:
            yield told


def form(told: Json, name: str) -> Json:
    """The schema of what a field holds where it holds something."""
    field: Json = told["properties"][name]
    return next(one for one in field.get("anyOf", [field]) if one != NULL)


def changed(change: Change) -> Iterator[tuple[str, list[Break]]]:
    """Every schema with the change made to one field, for all fields in which it can be made."""
    for old in SCHEMAS:
        for number, told in enumerate(objects(old)):
            for name in told["properties"]:
                new = deepcopy(old)
                if change(list(objects(new))[number], name):
                    yield name, breaks(old, new)


def gone(told: Json, name: str) -> bool:
    del told["properties"][name]
    told["required"] = [field for field in told.get("required", ()) if field != name]
    return True


def renamed(told: Json, name: str) -> bool:
    told["properties"][f"{name}_again"] = told["properties"].pop(name)
    told["required"] = [field for field in told.get("required", ()) if field != name]
    return True


def optional(told: Json, name: str) -> bool:
    if name not in told.get("required", ()):
        return False
    told["required"].remove(name)
    return True


def required(told: Json, name: str) -> bool:
    if name in told.setdefault("required", []):
        return False
    told["required"].append(name)
    return True


def nullable(told: Json, name: str) -> bool:
    field = told["properties"][name]
    if "anyOf" in field:
        return False
    told["properties"][name] = {"anyOf": [field, NULL]}
    return True


def never_null(told: Json, name: str) -> bool:
    field = told["properties"][name]
    if "anyOf" not in field:
        return False
    told["properties"][name] = form(told, name)
    return True


def of_two_forms(told: Json, name: str) -> bool:
    field = told["properties"][name]
    told["properties"][name] = {"anyOf": [*field.get("anyOf", [field]), {"type": "integer"}]}
    return True


def of_another_type(told: Json, name: str) -> bool:
    one = form(told, name)
    if "type" not in one:
        return False
    one["type"] = "number" if one["type"] == "integer" else "integer"
    return True


def a_text_only(told: Json, name: str) -> bool:
    """Such as an object that became a name, or a list that became its first item."""
    was, told["properties"][name] = told["properties"][name], {"type": "string"}
    return was != {"type": "string"} and "minLength" not in was


def of_another_format(told: Json, name: str) -> bool:
    one = form(told, name)
    if one.get("type") != "string":
        return False
    one["format"] = "email"
    return True


def with_another_pattern(told: Json, name: str) -> bool:
    one = form(told, name)
    if one.get("type") != "string":
        return False
    one["pattern"] = "^.$"
    return True


def lacking_a_value(told: Json, name: str) -> bool:
    one = form(told, name)
    return bool(one.get("enum")) and bool(one["enum"].pop())


def one_value_only(told: Json, name: str) -> bool:
    one = form(told, name)
    if "enum" not in one:
        return False
    one["const"] = one.pop("enum")[0]
    return True


def any_value(told: Json, name: str) -> bool:
    return bool(form(told, name).pop("enum", None))


def only_some_values(told: Json, name: str) -> bool:
    one = form(told, name)
    if one.get("type") != "string" or "enum" in one:
        return False
    one["enum"] = ["one"]
    return True


def with_a_higher_minimum(told: Json, name: str) -> bool:
    one = form(told, name)
    if one.get("type") != "integer":
        return False
    one["minimum"] = one.get("minimum", 0) + 1
    return True


def with_a_lower_maximum(told: Json, name: str) -> bool:
    one = form(told, name)
    if one.get("type") == "integer":
        one["maximum"] = one.get("maximum", 1_000_000) - 1
    elif one.get("type") == "string":
        one["maxLength"] = one.get("maxLength", 1_000) - 1
    elif one.get("type") == "array":
        one["maxItems"] = 3
    return one.get("type") in ("integer", "string", "array")


def of_other_items(told: Json, name: str) -> bool:
    one = form(told, name)
    if "items" not in one:
        return False
    one["items"] = {"type": "boolean"}
    return True


def of_other_entries(told: Json, name: str) -> bool:
    one = form(told, name)
    if "additionalProperties" not in one:
        return False
    one["additionalProperties"] = {"type": "boolean"}
    return True


def described_otherwise(told: Json, name: str) -> bool:
    """In a way that nobody taught the comparison."""
    form(told, name)["not"] = {"const": "nothing"}
    return True


@pytest.mark.parametrize(
    "change",
    [
        gone,
        renamed,
        optional,
        required,
        nullable,
        never_null,
        of_two_forms,
        of_another_type,
        of_another_format,
        with_another_pattern,
        lacking_a_value,
        one_value_only,
        any_value,
        only_some_values,
        with_a_higher_minimum,
        with_a_lower_maximum,
        of_other_items,
        of_other_entries,
        described_otherwise,
    ],
)
def test_a_break_is_found_in_every_field_in_which_it_can_be_made(change: Change) -> None:
    found = list(changed(change))
    assert found
    for name, broken in found:
        assert any(name in field.replace("[]", "").replace("{}", "").split(".") for field, _ in broken), name


def test_a_new_field_must_be_optional() -> None:
    for old in SCHEMAS:
        for number, told in enumerate(objects(old)):
            new = deepcopy(old)
            grown = list(objects(new))[number]
            grown["properties"]["weather"] = {"type": "string"}
            assert breaks(old, new) == []
            grown["required"] = [*told.get("required", ()), "weather"]
            assert {field.split(".")[-1] for field, _ in breaks(old, new)} == {"weather"}


def one_more_value(told: Json, name: str) -> bool:
    one = form(told, name)
    return "enum" in one and not one["enum"].append("one more")


def wider(told: Json, name: str) -> bool:
    one = form(told, name)
    known = {word: one[word] for word in ("minimum", "maximum", "minLength", "maxLength") if word in one}
    one.update({word: bound + (1 if word.startswith("max") else -1) for word, bound in known.items()})
    return bool(known)


def without_bounds(told: Json, name: str) -> bool:
    one = form(told, name)
    known = one.keys() & {"minimum", "maximum", "minLength", "maxLength"}
    for word in known:
        del one[word]
    return bool(known)


def said_better(told: Json, name: str) -> bool:
    told["description"] = "Said better."
    told["properties"][name] |= {
        "title": name,
        "description": "Said better.",
        "default": None,
        "examples": [],
    }
    told["properties"] = dict(reversed(told["properties"].items()))
    return True


@pytest.mark.parametrize("change", [one_more_value, wider, without_bounds, said_better])
def test_what_only_adds_or_says_it_better_is_compatible(change: Change) -> None:
    found = list(changed(change))
    assert found
    assert [broken for broken in found if broken[1]] == []


def test_one_value_may_become_several() -> None:
    assert breaks({"const": "a", "type": "string"}, {"enum": ["a", "b"], "type": "string"}) == []
    assert breaks({"enum": ["a", "b"]}, {"const": "a"}) == [
        Break("", "lacks the value 'b', which it has in recorded events")
    ]


def test_a_model_may_have_another_name() -> None:
    for old in SCHEMAS:
        new = json.loads(json.dumps(old).replace("#/$defs/", "#/$defs/Other"))
        new["$defs"] = {f"Other{name}": told for name, told in new["$defs"].items()}
        assert breaks(old, new) == []


def test_what_holds_itself_is_compared_once() -> None:
    def tree(leaf: str) -> Json:
        node = {"properties": {"leaf": {"type": leaf}, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, NULL]}}}
        return {"$defs": {"Node": {"type": "object"} | node}, "properties": {"top": {"$ref": "#/$defs/Node"}}}

    assert breaks(tree("string"), tree("string")) == []
    assert [field for field, _ in breaks(tree("string"), tree("integer"))] == ["top.leaf"]


def test_what_stands_beside_a_reference_counts() -> None:
    def holder(**beside: int) -> Json:
        return {
            "$defs": {"Name": {"type": "string"}},
            "properties": {"name": {"$ref": "#/$defs/Name"} | beside},
        }

    assert breaks(holder(), holder(maxLength=5)) == [
        Break("name", "has a narrower maxLength: 5, and had none")
    ]
    assert breaks(holder(maxLength=5), holder()) == []


def test_a_break_says_where_and_why() -> None:
    old = schema(TechnicianAssigned)
    new = deepcopy(old)
    del new["$defs"]["Warranty"]["properties"]["until"]
    new["$defs"]["Slot"]["properties"]["start"]["format"] = "date"
    assert breaks(old, new) == [
        Break("slot.start", "has another format: date, and had date-time"),
        Break("state.warranty.until", "is gone"),
    ]
