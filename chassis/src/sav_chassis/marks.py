"""Marks: where a page ended, for the request of the following one."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from pydantic_core import from_json


def mark(*parts: str) -> str:
    """Encodes the order of the page and the place in it."""
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def parts_of(given: str, number: int) -> list[str]:
    """Decodes a mark of so many parts; `ValueError` where it is none. Anybody may have written it."""
    # pydantic's reader bounds the depth and refuses lone surrogates; Python's does neither.
    marked = from_json(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    if not (
        isinstance(marked, list) and len(marked) == number and all(isinstance(part, str) for part in marked)
    ):
        raise ValueError("not a mark")
    if any("\0" in part for part in marked):
        raise ValueError("PostgreSQL cannot hold that")
    return marked
