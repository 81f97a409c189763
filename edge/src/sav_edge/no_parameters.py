"""Query parameters of requests that take none, or each only once."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request

from sav_chassis.errors import WrongField, WrongFields
from sav_edge.json_bodies import GivenTwice

HttpRequest = Request[Any, Any, Any]


class NoParameterHere(WrongField):
    en = "there is no such parameter here"
    fr = "ce paramètre n’existe pas ici"


def no_parameters(request: HttpRequest) -> None:
    """Raises `Invalid` where the URL has query parameters."""
    if request.scope["query_string"]:
        raise WrongFields.each(NoParameterHere(field=name) for name in dict.fromkeys(request.query_params))


def each_once(query: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The value of each parameter; `WrongFields` names those that are given more than once."""
    if twice := [name for name, values in query.items() if len(values) > 1]:
        raise WrongFields.each(GivenTwice(field=name) for name in twice)
    return {name: value for name, [value] in query.items()}
