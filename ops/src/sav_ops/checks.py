"""`sav check`: format, lint, types, boundaries between rooms, generated documents."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sav_ops import generated
from sav_ops.home import REPO
from sav_ops.steps import out

BIN = Path(sys.prefix) / "bin"
CHECKS: list[tuple[str, list[str]]] = [
    ("format", ["ruff", "format", "--check", "--output-format=concise", "."]),
    ("lint", ["ruff", "check", "--output-format=concise", "."]),
    ("types", ["mypy", "--no-error-summary"]),
    ("boundaries", ["lint-imports"]),
    ("generated", ["python", "-P", "-m", "sav_ops", "generate", "--check"]),
]
FIXES: list[list[str]] = [["ruff", "check", "--fix-only", "--quiet", "."], ["ruff", "format", "--quiet", "."]]


def run(fix: bool) -> bool:
    """Run all checks, print a line for each and the output of those that fail; return whether all passed."""
    if fix:
        for command in FIXES:
            tool(command)
        generated.write()
    results = [passes(name, command) for name, command in CHECKS]
    return all(results)


def passes(name: str, command: Sequence[str]) -> bool:
    began = time.monotonic()
    done = tool(command)
    passed = done.returncode == 0
    mark = "[green]✓[/]" if passed else "[red]✗[/]"
    out.print(f"{mark} {name:<12} {time.monotonic() - began:5.1f} s")
    if not passed:
        out.print(done.stdout, markup=False, soft_wrap=True)
    return passed


def tool(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    words = [str(BIN / command[0]), *command[1:]]
    return subprocess.run(words, cwd=REPO, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
