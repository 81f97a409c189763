"""`sav bench`: every measure and its baselines, with their own PostgreSQL and RabbitMQ."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import uvloop

from sav_ops.develop.testing import private_home, servers
from sav_ops.home import GIVEN, REPO, Home, OpsError
from sav_ops.settings import read_settings
from sav_ops.terminal.console import out
from sav_ops.terminal.steps import step

BENCHMARKS = REPO / "benchmarks"
LOCK = BENCHMARKS / "requirements.lock"
PAGE = REPO / "docs" / "benchmarks.md"
# In the order of docs/benchmarks.md; each is benchmarks/<name>.py with `measure(settings, rounds)`.
MEASURES = (
    "read",
    "edge_checks",
    "lists",
    "search",
    "dashboard",
    "stock_report",
    "feed",
    "closing",
    "tokens",
    "signing_in",
    "command",
    "triage",
    "booking",
    "offline",
    "sla",
    "report_pdf",
    "invoice_pdf",
    "issue",
    "whole_path",
    "emit",
    "article_import",
    "relay",
    "reaction",
    "projection",
    "stream",
    "effect",
    "rebuild",
    "warranty",
    "slots",
    "candidates",
    "up",
)
HEAD = """# Benchmarks

What SAV does on one small machine beside plainer ways to do the same, in the same run: ours and each baseline in turn,
{rounds}, the median, and the least and the most. A ratio is the median of the ratios by round. Taken by

```sh
{command}
```

on {date}, on {machine}.
"""


def run(names: Sequence[str], rounds: int, write: bool) -> None:
    """Take these measures (none named: all) and print them; with `write`, write docs/benchmarks.md."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit, so that the servers are stopped
    names = chosen(names)
    folder = packages()
    # Settings of the caller's shell are for another platform.
    for name in [name for name in GIVEN if name.startswith("SAV_")]:
        del GIVEN[name]
    with private_home() as home, servers(home):
        settings = read_settings(home)
        os.environ["SAV_BENCH_PACKAGES"] = str(folder)
        measured = [uvloop.run(load(name).measure(settings, rounds)) for name in names]
    tables = "\n".join(line for one in measured for line in one.table())
    head = HEAD.format(
        rounds="one round" if rounds == 1 else f"{rounds} rounds",
        command=" ".join(["./sav bench", *(names if names != chosen([]) else []), f"--rounds {rounds}"]),
        date=datetime.now(UTC).strftime("%F"),
        machine=load("harness").machine(),
    )
    out.print(f"\n{head}\n{tables}", markup=False, soft_wrap=True)
    if write:
        PAGE.write_text(f"{head}\n{tables}")


def chosen(names: Sequence[str]) -> list[str]:
    there = [name for name in MEASURES if (BENCHMARKS / f"{name}.py").exists()]
    if unknown := [name for name in names if name not in there]:
        raise OpsError(f"There is no measure {unknown[0]}; there are: {', '.join(there)}.")
    return list(names) or there


def load(name: str) -> Any:
    """Return a module of benchmarks/, which is not on the import path of the installed packages."""
    if str(BENCHMARKS) not in sys.path:
        sys.path.append(str(BENCHMARKS))
    return import_module(name)


def packages() -> Path:
    """Return the folder with the packages of the baselines; install them if the lock file is new."""
    area = Home.default().folder("bench")
    folder = area / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    if folder.exists():
        return folder
    with step("Baselines"):
        new = folder.with_suffix(".new")
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet"]
        where = ["--python", sys.executable, "--target", str(new), "--require-hashes", "-r", str(LOCK)]
        done = subprocess.run(
            [*uv, *where], capture_output=True, text=True, env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
        )
        if done.returncode:
            raise OpsError(f"The baselines' packages could not be installed.\n{done.stderr}")
        new.rename(folder)
    return folder
