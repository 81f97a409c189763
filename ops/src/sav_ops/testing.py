"""`sav test`: pytest beside a PostgreSQL and a RabbitMQ of its own, fresh for every run; all of it in two halves."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sav_ops import postgres, rabbitmq
from sav_ops.home import REPO, Home
from sav_ops.steps import out, step

TESTS = REPO / "tests"
BESIDE = ("drills", "ops")


def run(arguments: list[str]) -> int:
    """Run pytest and return its exit code: all of tests/, or what the arguments name (`drills` is tests/drills).

    Several runs can work side by side.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    named = [word for word in arguments if (TESTS / word).is_dir() or Path(word.partition("::")[0]).exists()]
    if named:
        return pytest([str(TESTS / word) if (TESTS / word).is_dir() else word for word in arguments])
    return both_halves(arguments)


def both_halves(options: list[str]) -> int:
    """Run everything, half of it beside the rest: neither half keeps two cores busy."""
    folders = sorted(folder for folder in TESTS.iterdir() if any(folder.glob("test_*.py")))
    rest = [str(folder) for folder in folders if folder.name not in BESIDE]
    command = [sys.executable, "-P", "-m", "sav_ops", "test", *BESIDE, *options]
    with tempfile.TemporaryFile("w+") as report:
        beside = subprocess.Popen(command, stdout=report, stderr=subprocess.STDOUT)
        try:
            out.print(f"Beside this, {', '.join(BESIDE)} run; their report comes at the end.")
            code = pytest([*rest, *options])
            with step("The others"):
                others = beside.wait()
            return code or others
        finally:
            beside.terminate()
            beside.wait()
            report.seek(0)
            out.print(report.read(), markup=False, soft_wrap=True)


def pytest(arguments: list[str]) -> int:
    """Run pytest on these, beside servers of its own."""
    with private_home() as home, servers(home) as environment:
        command = [sys.executable, "-P", "-m", "pytest", "-c", str(REPO / "pyproject.toml"), *arguments]
        running = subprocess.Popen(command, env=environment)
        try:
            return running.wait()
        except KeyboardInterrupt:  # pytest got it too: let it report
            return running.wait(timeout=30)
        finally:
            running.kill()


@contextmanager
def private_home() -> Iterator[Home]:
    """Make a home for one run and remove it after; remove those of runs that were killed."""
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
    """Hold the folder while its run lives; yield False when another run holds it, or has just removed it."""
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
    """Start both servers and yield the environment that names them."""
    with step("Servers"), ThreadPoolExecutor() as pool:
        database, broker = pool.submit(postgres.start, home, 0), pool.submit(rabbitmq.start, home, 0)
        urls = {"SAV_DATABASE_URL": database.result(), "SAV_BROKER_URL": broker.result()}
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    # All tests together ask for more than one person may.
    yield {**mine, **urls, "SAV_RATE_LIMITS_SCALE": "1000", "PYTHONUNBUFFERED": "1"}


def clear(home: Home) -> None:
    rabbitmq.stop(home)
    postgres.stop(home)
    shutil.rmtree(home.root, ignore_errors=True)
    if home.root.exists():
        out.print(f"[yellow]{home.root} could not be removed[/]")
