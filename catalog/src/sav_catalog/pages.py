"""Pages of what queries compute: where the one before ended."""

from typing import Any

from pydantic import TypeAdapter

from sav_chassis import marks
from sav_chassis.errors import WrongField


class NotThisNext(WrongField):
    field: str = "after"
    en = "not the `next` of a page sorted like this one"
    fr = "ce n’est pas le `next` d’une page triée comme celle-ci"


def place(after: str | None, order: str, *forms: Any) -> list[Any] | None:
    """Where the page before ended, as values of these types; None for the first page. `NotThisNext` for anything else."""
    if after is None:
        return None
    try:
        sorted_by, *parts = marks.parts_of(after, 1 + len(forms))
        if sorted_by != order:
            raise NotThisNext
        return [TypeAdapter(form).validate_python(part) for form, part in zip(forms, parts, strict=True)]
    except ValueError:
        raise NotThisNext from None
