"""Every command and query there is, every value in them, and what none of these may be."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError

from sav_contracts import message_types
from sav_contracts.messages import RequestMessage
from sav_contracts.surface import SURFACE

ASKED = [
    value
    for module in message_types.MODULES
    for value in vars(module).values()
    if isinstance(value, type)
    and issubclass(value, RequestMessage)
    and value.__module__ == module.__name__
    and "[" not in value.__name__
]

NOT_TO_THE_POINT = ["", "now", 1767225600, "1767225600", 1e11, True, [], {}]
WRONG = {
    "date-time": [
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z"),
        *("1899-12-31T23:59:59Z", "2201-01-01T00:00:00Z", "1900-01-01T00:00:00+00:01"),
        *("2026-06-30T23:59:60Z", "2026-03-02T09:00:00", "2026-03-02", "2026-02-30T09:00:00Z"),
        *NOT_TO_THE_POINT,
    ],
    "date": [
        *("0001-01-01", "9999-12-31", "10000-01-01", "1899-12-31", "2201-01-01", "2026-02-30"),
        *("2026-03-02T00:00:00", "2026-03-02T09:00:00Z", *NOT_TO_THE_POINT),
    ],
    "time": ["08:00:00Z", "23:59:60", "24:00:00", "08:00:00+02:00", "now", True, [], {}],
    "decimal": [
        *("NaN", "-Infinity", "1e-400", "1E+1000000", "0.00001", "-1", "9" * 13, "1" * 5000),
        *("", "ten", True, [], {}),
    ],
}  # fmt: skip
TAKEN = {
    "date-time": ["1900-01-01T00:00:00Z", "2200-12-31T23:59:59.999999Z", "2026-03-02T09:00:00+15:59"],
    "date": ["1900-01-01", "2200-12-31"],
}


class Leaf(NamedTuple):
    """A value in a message, however deep: the names that lead there (0 for any of a list), and its JSON Schema."""

    message: type[RequestMessage[Any]]
    path: tuple[str | int, ...]
    schema: dict[str, Any]

    @property
    def form(self) -> str:
        # What is measured says that it is a `double`; other numbers are exact.
        return str(self.schema.get("format", "decimal" if self.schema["type"] == "number" else ""))

    def __str__(self) -> str:
        return ".".join(map(str, (self.message.__name__, *self.path)))


def leaves(message: type[RequestMessage[Any]]) -> Iterator[Leaf]:
    """The values in a message that are not made of others, and its lists."""
    root = message.model_json_schema()

    def under(schema: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Leaf]:
        if "$ref" in schema:
            yield from under(root["$defs"][schema["$ref"].rpartition("/")[2]], path)
        elif "anyOf" in schema:
            # A decimal is written as a number or as a text.
            forms = [form for form in schema["anyOf"] if form.get("type") != "null"]
            numbers = [form for form in forms if form.get("type") == "number"]
            for form in numbers or forms:
                yield from under(form, path)
        elif schema.get("type") == "object" and "properties" in schema:
            for name, inner in schema["properties"].items():
                yield from under(inner, (*path, name))
        elif "enum" not in schema and "const" not in schema and schema.get("type") not in ("boolean", None):
            yield Leaf(message, path, schema)
            if "items" in schema:
                yield from under(schema["items"], (*path, 0))

    if "properties" in root:
        yield from under(root, ())


MESSAGES = dict.fromkeys(
    [*ASKED, *(row.message for row in SURFACE if issubclass(row.message, RequestMessage))]
)
LEAVES = [leaf for message in MESSAGES for leaf in leaves(message)]


def refuses(leaf: Leaf, value: Any) -> bool:
    """Whether the message names the leaf as wrong where it has this value, both in JSON and in a query."""
    given = value
    for name in reversed(leaf.path):
        given = [given] if name == 0 else {name: given}
    found = []
    for read, body in (
        (leaf.message.model_validate_json, json.dumps(given)),
        (leaf.message.model_validate, given),
    ):
        try:
            read(body)
            found.append(False)
        except ValidationError as error:
            found.append(leaf.path in [one["loc"] for one in error.errors()])
    assert len(set(found)) == 1, f"{leaf} reads {value!r} in JSON otherwise than elsewhere"
    return found[0]
