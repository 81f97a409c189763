"""Messages at the ends of what their types take: the longest, the largest, the earliest, and the least."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from asked import Leaf, leaves, refuses

from sav_contracts.messages import RequestMessage

Json = dict[str, Any]
# Four bytes each in UTF-8, and the same in every normal form.
WIDE = "\N{CJK UNIFIED IDEOGRAPH-20BB7}"
# What is no matter of length: addresses and proofs of who asks come from the recipe, as do the ids of records.
GIVEN = {"email", "uuid", "password"}
# Of two that exclude each other the one that the recipe does not give; and what would not be the caller's any more.
NOT_SENT = {
    "OpenReclamation": {"product_id"},
    "SignReport": {"refused"},
    "VerifyProduct": {"purchase_date", "delivery_date", "commissioning_date"},
    # Either a percentage or an amount.
    "ChangeInvoice": {"discount"},
    "ReplaceProduct": {"delivery_date", "commissioning_date"},
}
WORDS = [
    "FR",
    "FR-57",
    "GB",
    "3017620422003",
    "12345670",
    "+33 6 12 34 56 78",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
]
DECIMALS = [
    f"{whole}{part}" for whole in ("9" * digits or "0" for digits in range(11)) for part in (".99", ".9", "")
]
numbers = count()


@dataclass
class Ends:
    """How far to go: `most` or least, how much of each text and list, in which letter, and what is known better."""

    most: bool = True
    share: float = 1.0
    letter: str = WIDE
    known: Json = field(default_factory=dict)
    day: date = date(1900, 1, 1)

    def value(self, leaf: Leaf) -> Any:
        """The last value that is taken there; None where it is the recipe's to say."""
        match leaf.schema["type"], leaf.form:
            case _, form if form in GIVEN:
                return None
            case "integer", _:
                return leaf.schema["maximum" if self.most else "minimum"]
            case _, "decimal":
                fit = [text for text in DECIMALS if not refuses(leaf, text)]
                return max(fit, key=float) if self.most else min(fit, key=float)
            case _, "date":
                return str(self.day)
            case _, "date-time":
                return str(self.time(leaf))
            case _, "time":
                return "23:59:59.999999" if leaf.path[-1] == "end" else "00:00:00"
        texts = [self.text(leaf, letter) for letter in (self.letter, WIDE) if "maxLength" in leaf.schema]
        return next((text for text in [*texts, *WORDS] if not refuses(leaf, text)), None)

    def number(self, most: int) -> int:
        """How many or how long."""
        return max(1, int(most * self.share))

    def text(self, leaf: Leaf, letter: str) -> str:
        """One that nobody else has."""
        longest = self.number(leaf.schema["maxLength"]) if self.most else 1
        unique = uuid4().hex[:12]
        # What is no word is taken off the ends.
        return (
            f"{unique}{letter * (longest - len(unique) - 1)}x" if longest > len(unique) else unique[:longest]
        )

    def time(self, leaf: Leaf) -> datetime:
        """Of a visit: the longest or the shortest, each on another day, as far ahead as may be."""
        length = timedelta(hours=12) if self.most else timedelta(minutes=15)
        if leaf.path[-1] == "start":
            self.begins = datetime.now(UTC) + timedelta(days=364 - next(numbers))
        return self.begins + (length if leaf.path[-1] == "end" else timedelta())


def filled(
    message: type[RequestMessage[Any]],
    right: Json,
    ends: Ends,
    kept: Collection[str] = (),
    chosen: Callable[[Leaf], bool] = lambda _: True,
) -> Json:
    """What is right, with each of the `chosen` values as far as it may go, but for the fields that are `kept`."""
    root = message.model_json_schema()
    there = {leaf.path: leaf for leaf in leaves(message)}
    left_out = {*kept, *NOT_SENT.get(message.__name__, ())}

    def under(schema: Json, path: tuple[str | int, ...]) -> Any:
        if path[-1] in ends.known:
            return ends.known[path[-1]]
        if "$ref" in schema:
            return under(root["$defs"][schema["$ref"].rpartition("/")[2]], path)
        if "anyOf" in schema:
            forms = [form for form in schema["anyOf"] if form.get("type") != "null"]
            return under(next((form for form in forms if form.get("type") == "number"), forms[0]), path)
        if "sha256" in schema.get("properties", {}):
            return None
        if "properties" in schema:
            inner = {name: under(one, (*path, name)) for name, one in schema["properties"].items()}
            return {name: value for name, value in inner.items() if value is not None}
        leaf = there.get(path)
        if schema.get("type") == "boolean":
            return ends.most
        if "enum" in schema:
            return schema["enum"][0] if len(path) > 1 else None
        if leaf is None or not chosen(leaf):
            return None
        if schema["type"] == "array":
            one = under(schema["items"], (*path, 0))
            several = ends.number(schema["maxItems"]) if ends.most else schema.get("minItems", 0)
            return None if one in (None, {}) else [under(schema["items"], (*path, 0)) for _ in range(several)]
        if schema["type"] == "object":
            words = Leaf(message, path, {"type": "string", "maxLength": 200})
            several = ends.number(schema["maxProperties"]) if ends.most and "propertyNames" in schema else 0
            return {
                ends.text(words, ends.letter): ends.text(words, ends.letter) for _ in range(several)
            } or None
        return ends.value(leaf)

    found = {
        name: value
        for name, one in root.get("properties", {}).items()
        if name not in left_out and (value := under(one, (name,))) is not None
    }
    return right | found
