"""The revisions of every event's schema and sample, in the contracts: added when the code changes, never changed."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from sav_contracts.message_types import EVENTS
from sav_contracts.messages import Event
from sav_contracts.published import revisions
from sav_ops.documents import event_samples, schema_compatibility
from sav_ops.home import REPO, OpsError

Json = dict[str, Any]
Events = Mapping[str, type[Event]]

ROOT = REPO / "contracts/src/sav_contracts"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
# The one exception: these may be null since ADR 49, in events about visits, their times, reports and feedback.
NULL_SINCE_ADR_49 = {"state.reclamation_id", "state.reclamation_reference"}
ABOUT_VISITS = {"intervention", "report", "appointment", "conflict", "feedback"}
CURE = """
What was published is read for as long as it is kept. Instead: leave the field as it was and add an optional one beside
it, or leave the event as it was and publish another one, with a name or a major version of its own."""


class Described(GenerateJsonSchema):
    """Schemas that mark a decimal number, which travels as a string, with the format `decimal`."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        bounds = {word: float(schema[name]) for name, word in BOUNDS.items() if name in schema}  # type: ignore[literal-required]
        return {"type": "string", "format": "decimal"} | bounds


class Bare(Described):
    """Schemas whose fields have no titles and whose models no descriptions."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        bare = {
            word: value
            for word, value in super().model_schema(schema).items()
            if word not in ("title", "description")
        }
        return bare | {"required": sorted(bare["required"])} if "required" in bare else bare


def _without(words: frozenset[str], schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without(words, part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    # A field that is called `examples` or `title` has a schema (a dict).
    kept = {name: part for name, part in schema.items() if name not in words or isinstance(part, dict)}
    return {name: _without(words, part) for name, part in kept.items()}


def schema(event: type[BaseModel]) -> Json:
    """Return the current JSON Schema of an event, as it is published."""
    json_schema: Json = _without(
        frozenset({"examples"}), event.model_json_schema(mode="serialization", schema_generator=Bare)
    )
    return {"$schema": DIALECT, "title": event.__name__} | json_schema


def missing(root: Path = ROOT, events: Events = EVENTS) -> dict[Path, str]:
    """Return the files to be added, with their text; `OpsError` names everything that the current code breaks."""
    if broken := [*_gone(root, events), *_broken(root, events)]:
        raise OpsError("\n".join(["Today's events break what was published:", *broken, CURE]))
    return {path: text for name, event in events.items() for path, text in _added(root, name, event)}


def _gone(root: Path, events: Events) -> Iterator[str]:
    for folder in sorted((root / "schemas").glob("*")):
        if folder.name not in events:
            yield f"  {folder.name}: the event is gone, and recorded ones cannot be read any more"


def _broken(root: Path, events: Events) -> Iterator[str]:
    for name, event in events.items():
        today = schema(event)
        # A new event is compared with itself: that finds what could not be compared later.
        known = [json.loads(text) for text in revisions("schemas", name, root)] or [today]
        found = {broken: None for old in known for broken in schema_compatibility.breaks(old, today)}
        yield from (f"  {name}: {one.field} {one.why}" for one in found if not _excused(event, one))


def _excused(event: type[Event], broken: schema_compatibility.Break) -> bool:
    may_be_null = broken.why == schema_compatibility.MAY_BE_NULL and broken.field in NULL_SINCE_ADR_49
    return may_be_null and event.state_type().kind() in ABOUT_VISITS


def _added(root: Path, name: str, event: type[Event]) -> Iterator[tuple[Path, str]]:
    known, today = revisions("schemas", name, root), schema(event)
    newest = [json.loads(text) for text in known[-1:]]
    # A better wording makes no revision.
    prose = frozenset({"title", "description"})
    number = len(known) + (_without(prose, today) not in [_without(prose, schema) for schema in newest])
    if number > len(known):
        yield root / "schemas" / name / f"{number}.json", _text(today)
    if number > len(revisions("samples", name, root)):
        yield root / "samples" / name / f"{number}.json", _text(event_samples.sample(event, root))


def _text(value: Json) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
