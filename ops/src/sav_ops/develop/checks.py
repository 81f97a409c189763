"""`sav check`: format, lint, types, boundaries between rooms, generated documents, length of files."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sav_ops.documents import generated
from sav_ops.home import REPO
from sav_ops.terminal.console import out

BIN = Path(sys.prefix) / "bin"
CHECKS: list[tuple[str, list[str]]] = [
    ("format", ["ruff", "format", "--check", "--output-format=concise", "."]),
    ("lint", ["ruff", "check", "--output-format=concise", "."]),
    ("types", ["mypy", "--no-error-summary"]),
    ("boundaries", ["lint-imports"]),
    ("generated", ["python", "-P", "-m", "sav_ops", "generate", "--check"]),
]
FIXES: list[list[str]] = [["ruff", "check", "--fix-only", "--quiet", "."], ["ruff", "format", "--quiet", "."]]

# Lines of a Python file at most: a longer one has more than one subject.
LONGEST = 400
MEASURED = ("*/src/**/*.py", "tests/**/*.py", "benchmarks/**/*.py")


def run(fix: bool) -> bool:
    """Run all checks, print a line for each and the output of those that fail; return whether all passed."""
    if fix:
        for command in FIXES:
            tool(command)
        generated.write()
    results = [passes(name, partial(complaint, command)) for name, command in CHECKS]
    return all([*results, passes("length", too_long)])


def passes(name: str, look: Callable[[], str | None]) -> bool:
    """Print the result of a check; return whether `look` found no fault."""
    began = time.monotonic()
    wrong = look()
    passed = wrong is None
    mark = "[green]✓[/]" if passed else "[red]✗[/]"
    out.print(f"{mark} {name:<12} {time.monotonic() - began:5.1f} s")
    if not passed:
        out.print(wrong, markup=False, soft_wrap=True)
    return passed


def complaint(command: Sequence[str]) -> str | None:
    done = tool(command)
    return done.stdout if done.returncode else None


def too_long(root: Path = REPO) -> str | None:
    """Return the files that are longer than the limit, one a line; None if there are none."""
    counted = {path: path.read_bytes().count(b"\n") for pattern in MEASURED for path in root.glob(pattern)}
    long = [
        f"{path.relative_to(root)}: {lines} lines, {LONGEST} at most"
        for path, lines in sorted(counted.items())
        if lines > LONGEST
    ]
    return "\n".join(long) or None


def tool(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    words = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(words, cwd=REPO, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
