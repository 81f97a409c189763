"""Requests that take no query parameters."""

from typing import Any

from litestar import Request

from sav_chassis.errors import WrongField, WrongFields

HttpRequest = Request[Any, Any, Any]


class NoParameterHere(WrongField):
    en = "there is no such parameter here"
    fr = "ce paramètre n’existe pas ici"


def no_parameters(request: HttpRequest) -> None:
    """Raises `Invalid` where the URL has query parameters."""
    if request.scope["query_string"]:
        raise WrongFields.each(NoParameterHere(field=name) for name in dict.fromkeys(request.query_params))
