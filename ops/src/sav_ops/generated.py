"""Documents made from code: `sav check` compares them, `sav generate` writes them."""

import json
from collections.abc import Callable
from pathlib import Path

from sav_ops import rooms
from sav_ops.home import REPO


def topology() -> str:
    """Who listens to what: queue to event types, from every room's declarations."""
    queues: dict[str, list[str]] = {}
    for room in rooms.ROOMS:
        queues |= rooms.load(room).bindings()
    return json.dumps(queues, indent=2) + "\n"


DOCUMENTS: list[tuple[Path, Callable[[], str]]] = [
    (REPO / "contracts/src/sav_contracts/topology.json", topology),
]


def outdated() -> list[Path]:
    """Return the documents that differ from what the code says today."""
    return [path for path, text in DOCUMENTS if not path.exists() or path.read_text() != text()]


def write() -> list[Path]:
    """Write the outdated documents; return them."""
    changed = outdated()
    for path, text in DOCUMENTS:
        if path in changed:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text())
    return [path.relative_to(REPO) for path in changed]
