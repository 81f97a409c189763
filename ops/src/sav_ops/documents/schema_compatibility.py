"""Whether a JSON Schema is compatible with an older one, for writers and for readers of the older one."""

from collections.abc import Iterator
from typing import Any, NamedTuple

Json = dict[str, Any]

# Words that do not restrict values. A default only says how an event that was recorded without the field is read.
PROSE = {"$defs", "$id", "$schema", "default", "description", "examples", "title"}
EXACT = {"type", "format", "pattern", "multipleOf", "uniqueItems"}
LOWEST = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
HIGHEST = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
NESTED = {"items": "[]", "additionalProperties": "{}", "propertyNames": "{} (names)"}
KNOWN = PROSE | EXACT | LOWEST | HIGHEST | NESTED.keys() | {"properties", "required", "enum", "const"}
NULL = {"type": "null"}
MAY_BE_NULL = "may be null now, which its readers do not expect"


class Break(NamedTuple):
    """An incompatible change: the field (`state.lines[].amount`), and why."""

    field: str
    why: str


def breaks(old: Json, new: Json) -> list[Break]:
    """Return what `new` breaks of `old`, both with their `$defs`: nothing if it only adds optional fields and values.

    A word of JSON Schema that this comparison does not know is a break, too.
    """
    return list(_Comparison(old, new).compare("", old, new))


class _Comparison:
    def __init__(self, old: Json, new: Json) -> None:
        self.old, self.new = old, new
        self.under_way: set[tuple[str, str]] = set()

    def compare(self, field: str, old: Json, new: Json) -> Iterator[Break]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in self.under_way:  # a schema that contains itself
                return
            self.under_way.add(pair)
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        if "anyOf" in old or "anyOf" in new:
            yield from self._any_of(field, old, new)
        else:
            yield from self._shape(field, old, new)
        self.under_way.discard(pair)

    def _any_of(self, field: str, old: Json, new: Json) -> Iterator[Break]:
        was, now = _forms(old), _forms(new)
        if NULL in now and NULL not in was:
            yield Break(field, MAY_BE_NULL)
        if NULL in was and NULL not in now:
            yield Break(field, "may not be null any more, which it is in recorded events")
        was, now = [form for form in was if form != NULL], [form for form in now if form != NULL]
        if len(was) != len(now):
            yield Break(field, f"has {len(now)} forms now, and had {len(was)}")
        for before, after in zip(was, now, strict=False):
            yield from self.compare(field, before, after)

    def _shape(self, field: str, old: Json, new: Json) -> Iterator[Break]:
        for word in sorted((old.keys() | new.keys()) - KNOWN):
            yield Break(field, f"is described by `{word}`, which schema_compatibility.py cannot compare yet")
        for word in sorted(EXACT):
            if old.get(word) != new.get(word):
                yield Break(field, f"has another {word}: {_said(new, word)}, and had {_said(old, word)}")
        yield from _bounds(field, old, new)
        yield from _values(field, old, new)
        yield from self._fields(field, old, new)
        for word, mark in NESTED.items():
            if word in old or word in new:
                yield from self.compare(field + mark, _schema(old, word), _schema(new, word))

    def _fields(self, field: str, old: Json, new: Json) -> Iterator[Break]:
        was, now = old.get("properties", {}), new.get("properties", {})
        always, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(was.keys() | now.keys()):
            place = f"{field}.{name}".removeprefix(".")
            if name not in now:
                yield Break(place, "is gone")
            elif name not in was and name in needed:
                yield Break(place, "is new and required, and recorded events lack it")
            elif name in was:
                if name in needed - always:
                    yield Break(place, "is required now, and some recorded events lack it")
                if name in always - needed:
                    yield Break(place, "is optional now, and its readers rely on it")
                yield from self.compare(place, was[name], now[name])


def _resolved(schema: Json, root: Json) -> Json:
    while "$ref" in schema:
        beside = {word: value for word, value in schema.items() if word not in PROSE | {"$ref"}}
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")] | beside
    return schema


def _forms(schema: Json) -> list[Json]:
    """Return the alternatives of `anyOf`, each with the words that stand beside it."""
    beside = {word: value for word, value in schema.items() if word not in PROSE | {"anyOf"}}
    return [form if form == NULL else form | beside for form in schema.get("anyOf", [{}])]


def _schema(schema: Json, word: str) -> Json:
    """Return the schema under a word; without one, and for `true`, the schema that allows everything."""
    under = schema.get(word, True)
    if isinstance(under, bool):
        return {} if under else {"not": {}}
    return dict(under)


def _bounds(field: str, old: Json, new: Json) -> Iterator[Break]:
    for word in sorted(LOWEST | HIGHEST):
        if word not in new:
            continue
        was, now = old.get(word), new[word]
        if was is None or (now > was if word in LOWEST else now < was):
            yield Break(field, f"has a narrower {word}: {now}, and had {_said(old, word)}")


def _values(field: str, old: Json, new: Json) -> Iterator[Break]:
    """Yield values that are gone; new ones are allowed."""
    was, now = _listed(old), _listed(new)
    if was is None or now is None:
        if was != now:
            yield Break(field, f"takes {'any value' if now is None else f'only {now}'} now")
        return
    for value in was:
        if value not in now:
            yield Break(field, f"lacks the value {value!r}, which it has in recorded events")


def _listed(schema: Json) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _said(schema: Json, word: str) -> str:
    return str(schema.get(word, "none"))
