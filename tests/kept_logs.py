"""A failed test leaves what the processes of this run logged meanwhile, and says where; a home is gone when its run ends."""

import os
import re
import shutil
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sav_ops.develop.testing import FAILED_TEST_LOGS, finished

# How long each log was, and what time it was, when the test began.
SIZES = pytest.StashKey[dict[Path, int]]()
BEGAN = pytest.StashKey[float]()
FAILED = pytest.StashKey[bool]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[SIZES] = {log: log.stat().st_size for log in logs_of_the_run()}
    item.stash[BEGAN] = time.time()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: Any
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "setup":
        shutil.rmtree(folder_of(item), ignore_errors=True)  # of the last time that it failed
    if report.failed:
        item.stash[FAILED] = True
        report.sections.append(("the logs of its processes", str(keep(item))))
    return report


def pytest_sessionfinish() -> None:
    if home := home_of_the_run():
        finished(home)


def folder_of(item: pytest.Item) -> Path:
    return FAILED_TEST_LOGS / re.sub(r"[^\w.-]+", "_", item.nodeid.removeprefix("tests/"))[:200]


def keep(item: pytest.Item) -> Path:
    """Copies what was logged since the test began."""
    folder = folder_of(item)
    folder.mkdir(parents=True, exist_ok=True)
    known = item.stash[SIZES]
    for log in [*logs_of_the_run(), *logs_of_its_own(item)]:
        whole = log.read_bytes()
        # A log that has grown too large was begun anew.
        since = whole[known.get(log, 0) :] or whole
        (folder / f"{log.parent.parent.name}-{log.name}").write_bytes(since)
    return folder


def home_of_the_run() -> Path | None:
    home = os.environ.get("SAV_TEST_HOME")
    return Path(home) if home else None


def logs_of_the_run() -> Iterator[Path]:
    """Those of the servers of all tests, and of platforms that stand in the run's home."""
    if home := home_of_the_run():
        yield from home.glob("logs/*.log")
        yield from home.glob("*/logs/*.log")


def logs_of_its_own(item: pytest.Item) -> list[Path]:
    """Those of platforms that a test has made for itself."""
    made: pytest.TempPathFactory = vars(item.config)["_tmp_path_factory"]
    found = [log for depth in ("*", "*/*") for log in made.getbasetemp().glob(f"{depth}/logs/*.log")]
    return [log for log in found if log.stat().st_mtime >= item.stash[BEGAN]]
