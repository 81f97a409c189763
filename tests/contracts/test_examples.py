"""What people write and read has an example beside its type: for OpenAPI and AsyncAPI, and for the samples."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import pytest
from asked import ASKED
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from sav_contracts.message_types import EVENTS
from sav_contracts.messages import Event
from sav_ops.documents.event_samples import USUAL, sample


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def models(found: dict[type[BaseModel], None], *annotations: Any) -> dict[type[BaseModel], None]:
    for part in (part for annotation in annotations for part in parts(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in found:
            found[part] = None
            models(found, *(field.annotation for field in part.model_fields.values()))
    return found


FIELDS = [
    pytest.param(field, id=f"{model.__name__}.{name}")
    for model in models({}, *ASKED, *(message.reply_type() for message in ASKED), *EVENTS.values())
    for name, field in model.model_fields.items()
]


def examples(field: FieldInfo) -> list[Any]:
    """Those of the field, and of its types."""
    infos = [field, *(part for part in parts(field.annotation) if isinstance(part, FieldInfo))]
    return [example for info in infos for example in info.examples or ()]


@pytest.mark.parametrize("field", FIELDS)
def test_a_text_shows_an_example(field: FieldInfo) -> None:
    text = str in parts(field.annotation)
    # A default that says something shows it as well.
    shown = examples(field) or (field.default and not field.is_required())
    assert not text or shown, "say what people write there: Field(examples=[…])"


@pytest.mark.parametrize("field", [one for one in FIELDS if cast(FieldInfo, one.values[0]).examples])
def test_an_example_is_what_the_field_takes(field: FieldInfo) -> None:
    form: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    for example in field.examples or ():
        TypeAdapter(form).validate_python(example)


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS.keys())
def test_an_event_that_was_never_published_is_sampled_from_examples_alone(
    event: type[Event], tmp_path: Path
) -> None:
    assert USUAL[str] not in str(sample(event, tmp_path))
