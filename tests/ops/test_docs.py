"""What the documents name is there: files, classes, functions, settings, codes, columns."""

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sav_ops.cli import app
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


def options(command: Any) -> set[str]:
    """The options of a command of `./sav`; those that it passes on are the drills' own."""
    if command.context_settings.get("ignore_unknown_options"):
        return {"--seed", "--strikes"}
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


LINKING = [
    path
    for path in tracked()
    if path.suffix == ".md" and path.parts[0] in ("README.md", "CHANGELOG.md", "docs")
]


def anchors(file: Path) -> set[str]:
    """What links name the headings of a document by."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("document", LINKING, ids=str)
def test_every_link_and_every_decision_that_a_document_names_is_there(document: Path) -> None:
    text, here = (REPO / document).read_text(), (REPO / document).parent
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        file = here / path if path else REPO / document
        if not link.startswith("http") and not (file.exists() and (not anchor or anchor in anchors(file))):
            broken.append(link)
    numbers = {path.name[:4] for path in tracked() if path.match("docs/adr/*.md")}
    broken += [
        f"ADR {number}" for number in re.findall(r"\bADR (\d+)", text) if f"{number:0>4}" not in numbers
    ]
    assert broken == []


# What the changelog says was so on its day.
@pytest.mark.parametrize("document", [path for path in LINKING if path.name != "CHANGELOG.md"], ids=str)
def test_every_command_that_a_document_names_is_one(document: Path) -> None:
    wrong = []
    for said in re.findall(r"\./sav ([a-z][^`|#\n]*)", (REPO / document).read_text()):
        command: Any = get_command(app)
        words = re.findall(r"[^\s,;:()]+", said)
        while words and words[0] in getattr(command, "commands", ()):
            command = command.commands[words.pop(0)]
        # `./sav parked` is `./sav parked list`.
        command = getattr(command, "commands", {"list": command}).get("list")
        if command is None or not {word for word in words if word.startswith("--")} <= options(command):
            wrong.append(said)
    assert wrong == []


def test_english_refusals_call_a_claim_one() -> None:
    """As mails and histories do."""
    english = re.findall(r"^\| ([^|]*) \| [^|]* \|$", (REPO / "docs/errors.md").read_text(), re.MULTILINE)
    assert len(english) > 100
    assert [one for one in english if re.search(r"r[ée]clamation(?!_id)", one)] == []


def test_french_refusals_keep_their_marks_beside_their_word() -> None:
    assert re.findall(r".*\w [:;!?»].*|.*« .*", (REPO / "docs/errors.md").read_text()) == []
