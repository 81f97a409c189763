"""The names under which functions are stored: in the inbox, in derived ids and in waiting tasks.

A stored name stays when the function is renamed. The contracts' `topology.json` lists them all; `./sav generate`
refuses to drop one (docs/adr/0029).
"""

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def stored_as(name: str) -> Callable[[F], F]:
    """Gives a reaction, timer or effect a stored name that stays when its function is renamed."""

    def register(function: F) -> F:
        function.stored_name = name  # type: ignore[attr-defined]
        return function

    return register


def stored_name(function: Callable[..., Any]) -> str:
    """A function's stored name: the one given by `stored_as`, or else the function's own name."""
    return getattr(function, "stored_name", function.__name__)
