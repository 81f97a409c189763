"""The revisions of every event: kept in the contracts, added where today's code says more, never changed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sav_contracts.catalogue import EVENTS
from sav_contracts.messages import Event
from sav_contracts.published import revisions
from sav_ops import compatibility, samples
from sav_ops.home import REPO, Problem

Json = dict[str, Any]
Events = Mapping[str, type[Event]]

ROOT = REPO / "contracts/src/sav_contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
CURE = """
What was published is read for as long as it is kept. Instead: leave the field as it was and add an optional one beside
it, or leave the event as it was and publish another one, with a name or a major version of its own."""


class Described(GenerateJsonSchema):
    """Schemas that tell a decimal number, which travels as a string, from a text."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        bounds = {word: float(schema[name]) for name, word in BOUNDS.items() if name in schema}  # type: ignore[literal-required]
        return {"type": "string", "format": "decimal"} | bounds


class Bare(Described):
    """Schemas without prose: what is only said better makes no revision."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        told = _without_prose(super().model_schema(schema))
        return told | {"required": sorted(told["required"])} if "required" in told else told

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return _without_prose(super().enum_schema(schema))


def _without_prose(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {word: value for word, value in schema.items() if word not in ("title", "description")}


def schema(event: type[BaseModel]) -> Json:
    """Today's JSON Schema of an event as it is published."""
    told = event.model_json_schema(mode="serialization", schema_generator=Bare)
    return {"$schema": DIALECT, "title": event.__name__} | told


def missing(root: Path = ROOT, events: Events = EVENTS) -> dict[Path, str]:
    """The files that are to be added, with their text; `Problem` names everything that today's code breaks."""
    if broken := [*_gone(root, events), *_broken(root, events)]:
        raise Problem("\n".join(["Today's events break what was published:", *broken, CURE]))
    return {path: text for name, event in events.items() for path, text in _added(root, name, event)}


def _gone(root: Path, events: Events) -> Iterator[str]:
    for folder in sorted((root / "schemas").glob("*")):
        if folder.name not in events:
            yield f"  {folder.name}: the event is gone, and recorded ones cannot be read any more"


def _broken(root: Path, events: Events) -> Iterator[str]:
    for name, event in events.items():
        today = schema(event)
        # Compared with itself it says what could not be compared later.
        known = [json.loads(text) for text in revisions("schemas", name, root)] or [today]
        found = {broken: None for old in known for broken in compatibility.breaks(old, today)}
        yield from (f"  {name}: {field} {why}" for field, why in found)


def _added(root: Path, name: str, event: type[Event]) -> Iterator[tuple[Path, str]]:
    known, today = revisions("schemas", name, root), _text(schema(event))
    number = len(known) + (today not in known[-1:])
    if number > len(known):
        yield root / "schemas" / name / f"{number}.json", today
    if number > len(revisions("samples", name, root)):
        yield root / "samples" / name / f"{number}.json", _text(samples.sample(event))


def _text(value: Json) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
