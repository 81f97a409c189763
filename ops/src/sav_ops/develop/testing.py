"""`sav test`: runs pytest with a new PostgreSQL and RabbitMQ for every run; all tests together run in groups, side by side."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sav_ops.home import REPO, Home
from sav_ops.launch import platform, postgres, rabbitmq
from sav_ops.terminal.console import out
from sav_ops.terminal.steps import step

TESTS = REPO / "tests"
# The logs of the processes of failed tests, a folder for each.
FAILED_TEST_LOGS = REPO / ".sav" / "test-logs"
ENDED = "ended"
# The groups that run beside all the rest, each with servers of its own. They take about the same time. The journeys and
# `ops` read whole logs and mailboxes: they do not come after the edge's, which fill these.
BESIDE = (("drills", "ops"), ("interventions", "journeys", "notifier", "reporting"))


def run(arguments: list[str]) -> int:
    """Run pytest and return its exit code: all of tests/, or what the arguments name (`drills` is tests/drills).

    Several runs may work at the same time.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    named = [word for word in arguments if (TESTS / word).is_dir() or Path(word.partition("::")[0]).exists()]
    if named:
        return pytest([str(TESTS / word) if (TESTS / word).is_dir() else word for word in arguments])
    return side_by_side(arguments)


def side_by_side(options: list[str]) -> int:
    """Run all tests in groups at the same time: one alone does not keep two cores busy."""
    folders = sorted(folder for folder in TESTS.iterdir() if any(folder.glob("test_*.py")))
    rest = [str(folder) for folder in folders if not any(folder.name in group for group in BESIDE)]
    with ExitStack() as stack:
        others = [stack.enter_context(beside(group, options)) for group in BESIDE]
        out.print("Beside this, the other groups run; their reports come at the end.")
        code = pytest([*rest, *options])
        with step("The others"):
            codes = [code, *(other.wait() for other in others)]
    return next(filter(None, codes), 0)


@contextmanager
def beside(group: tuple[str, ...], options: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a group with its own servers, and print its report at the end."""
    command = [sys.executable, "-P", "-m", "sav_ops", "test", *group, *options]
    with tempfile.TemporaryFile("w+") as report:
        running = subprocess.Popen(command, stdout=report, stderr=subprocess.STDOUT)
        try:
            yield running
        finally:
            running.terminate()
            running.wait()
            report.seek(0)
            out.print(report.read(), markup=False, soft_wrap=True)


def pytest(arguments: list[str]) -> int:
    """Run pytest with these arguments and its own servers; return its exit code."""
    with private_home() as home, servers(home) as environment:
        command = [sys.executable, "-P", "-m", "pytest", "-c", str(REPO / "pyproject.toml"), *arguments]
        running = subprocess.Popen(command, env=environment)
        try:
            return running.wait()
        except KeyboardInterrupt:  # pytest received it too: wait for its report
            return running.wait(timeout=30)
        finally:
            running.kill()
            if not (home.root / ENDED).exists():
                out.print(f"pytest was cut off; what its processes logged is in {keep(home)}", soft_wrap=True)


def finished(home: Path) -> None:
    """Record that pytest ended normally in this run, and has kept the logs of failed tests."""
    (home / ENDED).touch()


def keep(home: Home) -> Path:
    """Copy all logs of a run, and return their folder."""
    folder = FAILED_TEST_LOGS / home.root.name
    for one in (home, *inner(home)):
        shutil.copytree(one.logs, folder / one.root.name, dirs_exist_ok=True)
    return folder


def inner(home: Home) -> list[Home]:
    """Return the homes that tests have created inside the home of their run."""
    return [Home(run.parent) for run in home.root.glob("*/run")]


@contextmanager
def private_home() -> Iterator[Home]:
    """Create a home for one run and remove it at the end; first remove those of killed runs."""
    area = Home.default().root / "test"
    area.mkdir(exist_ok=True)
    for left in area.iterdir():
        with held(left) as ours:
            if ours:
                clear(Home(left))
    home = Home(Path(tempfile.mkdtemp(dir=area)))
    home.root.chmod(0o755)  # PostgreSQL runs as nobody when we are root
    with held(home.root):
        try:
            yield home
        finally:
            clear(home)


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Lock the folder of a run; yield False if another run holds it, or has just removed it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(handle)


@contextmanager
def servers(home: Home) -> Iterator[dict[str, str]]:
    """Start PostgreSQL and RabbitMQ; yield the environment variables with their URLs."""
    with step("Servers"), ThreadPoolExecutor() as pool:
        database, broker = pool.submit(postgres.start, home, 0), pool.submit(rabbitmq.start, home, 0)
        urls = {"SAV_DATABASE_URL": database.result(), "SAV_BROKER_URL": broker.result()}
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    # All tests together send more requests than the rate limits allow one caller.
    places = {"SAV_TEST_HOME": str(home.root)}
    yield {**mine, **urls, **places, "SAV_RATE_LIMITS_SCALE": "1000", "PYTHONUNBUFFERED": "1"}


def clear(home: Home) -> None:
    for one in inner(home):
        platform.down(one)
    rabbitmq.stop(home)
    postgres.stop(home)
    shutil.rmtree(home.root, ignore_errors=True)
    if home.root.exists():
        out.print(f"[yellow]{home.root} could not be removed[/]")
