"""Documents made from code: `sav check` compares them, `sav generate` writes them."""

from collections.abc import Callable
from pathlib import Path

from sav_ops.home import REPO

DOCUMENTS: list[tuple[Path, Callable[[], str]]] = []


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
