"""The published JSON Schemas and samples of each event, in revisions that are added and never changed."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

HERE = files("sav_contracts")


def schema_id(type_name: str) -> str:
    """The URI of this event's schema, the same for all installations and revisions. The newest one fits all bodies."""
    return f"urn:sav:schema:{type_name}"


def revisions(what: Literal["schemas", "samples"], type_name: str, root: Traversable = HERE) -> list[str]:
    """The JSON of each revision, the newest last; empty where nothing was published under this name."""
    folder = root / what / type_name
    found: list[str] = []
    while (file := folder / f"{len(found) + 1}.json").is_file():
        found.append(file.read_text(encoding="utf-8"))
    return found
