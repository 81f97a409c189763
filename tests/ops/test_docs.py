"""What the documents name is there: files, classes, functions, settings, codes, columns."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from sav_ops.home import REPO

# Those that lead through the code; the others speak of other programs too, are generated, or of their day.
DOCUMENTS = [
    "README.md",
    *(f"docs/{name}.md" for name in ("architecture", "glossary", "reliability", "security")),
]
NAME = re.compile(r"[A-Za-z_][\w./…-]*(\(.*\))?")
FILE = re.compile(r"[\w./…-]+\.(py|json|md|toml|yaml|txt|html)")


@cache
def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=REPO, capture_output=True, text=True, check=True)
    return [Path(line) for line in listed.stdout.splitlines()]


@cache
def names() -> set[str]:
    """Every word of the code."""
    code = (
        REPO / path for path in tracked() if path.suffix in (".py", ".json", ".yaml", ".toml", ".html", "")
    )
    return {word for path in code if path.is_file() for word in re.findall(r"\w+", path.read_text())}


def is_there(name: str) -> bool:
    if FILE.fullmatch(name):
        end = name.rpartition("…/")[2]
        return any(path.as_posix().endswith(end) for path in tracked())
    return all(is_known(word) for word in re.findall(r"[A-Za-z_]\w+", name))


def is_known(word: str) -> bool:
    """A name of the code, or how a setting or a figure of that name is written outside."""
    spelled = word.removeprefix("SAV_").lower() if word.startswith("SAV_") else word.removesuffix("_total")
    return not names().isdisjoint({word, spelled})


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_names_is_there(document: str) -> None:
    quoted = re.findall(r"`([^`\n]+)`", (REPO / document).read_text())
    assert [name for name in quoted if NAME.fullmatch(name) and not is_there(name)] == []


def test_french_refusals_keep_their_marks_beside_their_word() -> None:
    assert re.findall(r".*\w [:;!?»].*|.*« .*", (REPO / "docs/errors.md").read_text()) == []
