"""Bodies in JSON: read strictly, and refused where two programs could read them differently."""

import json
import re
from typing import Any

from pydantic_core import from_json

from sav_chassis.errors import Malformed, WrongField

PLACE = re.compile(r"at line (\d+) column (\d+)$")


class NoJson(Malformed):
    en = "The body is not JSON"
    fr = "Le corps n’est pas du JSON"


class NoJsonAt(Malformed):
    line: str
    column: str
    en = "The body is not JSON: look at line {line}, column {column}"
    fr = "Le corps n’est pas du JSON : regardez à la ligne {line}, colonne {column}"


class TooDeep(Malformed):
    en = "The body has too many objects or lists in one another"
    fr = "Le corps a trop d’objets ou de listes imbriqués"


class NoJsonObject(Malformed):
    en = "The body must be a JSON object"
    fr = "Le corps doit être un objet JSON"


class GivenTwice(WrongField):
    en = "given more than once"
    fr = "donné plusieurs fois"


def json_object(body: bytes) -> dict[str, Any]:
    """The fields of a JSON body; none in an empty one."""
    if not body:
        return {}
    try:
        fields = json_value(body)
    except ValueError as error:
        raise _no_json(str(error)) from None
    if not isinstance(fields, dict):
        raise NoJsonObject
    return fields


def _no_json(reason: str) -> Malformed:
    """The refusal, with the error's place but not the parser's reason, which is for programmers."""
    if "recursion" in reason:
        return TooDeep()
    if place := PLACE.search(reason):
        return NoJsonAt(line=place[1], column=place[2])
    return NoJson()


def json_value(text: bytes | str, within: str = "") -> Any:
    """What a JSON text, of the field `within`, says; `ValueError` where it is none, `GivenTwice` where it has a field twice."""
    value = from_json(text, allow_inf_nan=False)
    # `from_json` keeps the last of them in silence, and another program may keep the first (RFC 8259, 4).
    seen = json.loads(text, object_pairs_hook=_each_once, parse_int=str, parse_float=str, strict=False)
    if (twice := _twice_in(seen)) is not None:
        raise GivenTwice(field=f"{within}.{twice}" if within else twice)
    return value


class _Twice(str):
    """The dotted name of a field that an object has twice."""


def _each_once(fields: list[tuple[str, Any]]) -> _Twice | None:
    """What is kept of an object: the first field in it that is there twice."""
    names = set[str]()
    for name, value in fields:
        if name in names:
            return _Twice(name)
        names.add(name)
        if (twice := _twice_in(value)) is not None:
            return _Twice(f"{name}.{twice}")
    return None


def _twice_in(value: Any) -> _Twice | None:
    for place, one in enumerate(value if isinstance(value, list) else ()):
        if (twice := _twice_in(one)) is not None:
            return _Twice(f"{place}.{twice}")
    return value if isinstance(value, _Twice) else None
