"""Samples of events, always the same: made from the last published sample and the examples in the contracts."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from importlib.resources.abc import Traversable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID, uuid5

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sav_contracts.messages import Event, View
from sav_contracts.published import HERE, revisions
from sav_ops.home import OpsError

Json = dict[str, Any]

WORLD = UUID("5a5a0000-0000-4000-8000-000000000000")
# The values of fields that have no example.
USUAL: dict[Any, Any] = {
    str: "Texte",
    int: 1,
    float: 1.0,
    bool: False,
    Decimal: "1.00",
    datetime: "2026-03-05T09:00:00Z",
    date: "2026-03-05",
    time: "09:00:00",
}


def sample(event: type[Event], root: Traversable = HERE) -> Json:
    """Return a sample of an event's body as on the wire; `OpsError` if the examples do not fit together."""
    published = revisions("samples", event.type_name(), root)
    filled = _model(event, json.loads(published[-1]) if published else {})
    try:
        made: Json = json.loads(event.model_validate(filled).model_dump_json())
    except ValidationError as error:
        raise OpsError(
            f"Say in the contracts, as `examples` of these fields, what they hold. {error}"
        ) from None
    return made


def _model(model: type[BaseModel], before: Json) -> Json:
    """Keep the values of the last sample; fill new fields."""
    return {
        field.alias or name: _again(field, before[name]) if name in before else _first(model, name, field)
        for name, field in model.model_fields.items()
    }


def _again(annotation: Any, before: Any) -> Any:
    inner = next(_models(annotation), None)
    if inner and isinstance(before, list):
        return [_model(inner, one) for one in before]
    return _model(inner, before) if inner and isinstance(before, dict) else before


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models in a field's type, at any depth."""
    if isinstance(annotation, FieldInfo):
        annotation = annotation.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _first(model: type[BaseModel], name: str, field: FieldInfo) -> Any:
    if field.examples:
        return field.examples[0]
    # A default such as `FR` is used; an empty default is not, because a sample shows what may be there.
    if not field.is_required() and field.default and not isinstance(field.default, (BaseModel, tuple)):
        return field.default
    if name == "id" and issubclass(model, View):
        return uuid5(WORLD, model.kind())
    return _made(name, field.annotation)


def _made(name: str, annotation: Any) -> Any:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        shown = (part.examples for part in parts if isinstance(part, FieldInfo) and part.examples)
        return next(shown, [_made(name, parts[0])])[0]
    if origin in (Union, UnionType):
        return _made(name, next(part for part in parts if part is not NoneType))
    if origin is Literal:
        return parts[0]
    if origin is dict:
        return {_made(name, parts[0]): _made(name, parts[1])}
    if origin is not None:
        return [_made(name, parts[0])]
    if annotation is UUID:
        # A `client_id` has the id of the sample of the client, in every event.
        return uuid5(WORLD, name.removesuffix("_id"))
    if annotation is Any:
        return USUAL[str]
    if issubclass(annotation, BaseModel):
        return _model(annotation, {})
    if issubclass(annotation, Enum):
        return next(iter(annotation))
    return USUAL[annotation]
