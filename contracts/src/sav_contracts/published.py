"""What of every event was published: its JSON Schema and a sample of it, in revisions that are added and never changed."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

HERE = files("sav_contracts")


def revisions(what: Literal["schemas", "samples"], type_name: str, root: Traversable = HERE) -> list[str]:
    """The JSON of each revision, the newest last; none where nothing was published under this name."""
    folder = root / what / type_name
    found: list[str] = []
    while (file := folder / f"{len(found) + 1}.json").is_file():
        found.append(file.read_text(encoding="utf-8"))
    return found
