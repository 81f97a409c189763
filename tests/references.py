"""Where a JSON document points to."""

from collections.abc import Iterator
from typing import Any


def references(told: Any) -> Iterator[str]:
    """Every `$ref` in it, at any depth."""
    if isinstance(told, dict):
        if isinstance(told.get("$ref"), str):
            yield told["$ref"]
        for value in told.values():
            yield from references(value)
    elif isinstance(told, list):
        for value in told:
            yield from references(value)
