"""Pid files: what we started is found again, a stranger with its number is left alone."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from sav_chassis.settings import Settings
from sav_ops.home import Home, OpsError
from sav_ops.inspect import status
from sav_ops.launch import processes

SLEEP = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    processes.stop(home, ["one"], signal.SIGKILL)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def test_a_started_process_is_found_and_stopped(home: Home) -> None:
    pid = processes.start(home, "one", SLEEP, os.environ)
    assert processes.running(home, "one") == pid
    assert processes.stop(home, ["one"]) == ["one"]
    assert processes.identity(pid) is None
    assert processes.running(home, "one") is None


@pytest.mark.parametrize("written", ["{pid} 1 {boot}", "{pid} {tick} another-boot", "{pid}", ""])
def test_a_stale_pid_file_does_not_kill_a_stranger(
    home: Home, stranger: subprocess.Popen[bytes], written: str
) -> None:
    _, tick, boot = (processes.identity(stranger.pid) or "").split()
    (home.run / "one.pid").write_text(written.format(pid=stranger.pid, tick=tick, boot=boot))
    assert processes.running(home, "one") is None
    assert processes.stop(home, ["one"]) == []
    assert stranger.poll() is None


def test_a_process_that_ignores_sigterm_is_killed_after_the_bound(home: Home) -> None:
    pid = processes.start(home, "one", DEAF, os.environ)
    processes.poll(lambda: "deaf" in processes.log_end(home, "one"), 10, "it never spoke")
    processes.stop(home, ["one"], seconds=0.3)
    processes.poll(lambda: processes.identity(pid) is None, 5, "it was not killed")


def test_a_process_that_ends_while_starting_shows_the_end_of_its_log(home: Home) -> None:
    processes.start(home, "one", [sys.executable, "-c", "raise SystemExit('no such thing')"], os.environ)
    with pytest.raises(OpsError, match="no such thing"):
        processes.wait_ready(home, "one", lambda: False, seconds=10)


def test_what_is_being_stopped_is_not_meant_to_run_any_more(home: Home) -> None:
    """So that nobody starts it again between its end and ours."""
    processes.start(home, "one", DEAF, os.environ)
    processes.poll(lambda: "deaf" in processes.log_end(home, "one"), 10, "it never spoke")
    assert processes.expected_processes(home) == ["one"]
    with ThreadPoolExecutor() as pool:
        stopping = pool.submit(processes.stop, home, ["one"], seconds=1)
        processes.poll(lambda: processes.expected_processes(home) == [], 5, "it is still meant to run")
        assert processes.running(home, "one")
        assert stopping.result() == ["one"]


def test_what_was_killed_by_others_is_still_meant_to_run(home: Home) -> None:
    processes.start(home, "one", SLEEP, os.environ)
    processes.kill(home, "one")
    assert (processes.running(home, "one"), processes.expected_processes(home)) == (None, ["one"])


@pytest.mark.parametrize(
    "said",
    [
        "error:{badmatch,{error,{{shutdown,{failed_to_start_child,…,eaddrinuse}}}}}",
        "{dist_port_already_used,25672,'sav','localhost'}",
        'could not bind IPv4 address "127.0.0.1": Address already in use',
    ],
)
def test_a_start_is_tried_again_where_a_port_was_just_taken(said: str) -> None:
    tries: list[str] = []

    def start() -> str:
        tries.append(said)
        if len(tries) == 1:
            raise OpsError(said)
        return "up"

    assert processes.retried(start) == "up"
    assert len(tries) == 2


def test_a_process_that_ends_while_its_status_is_looked_at_is_one_that_does_not_run(
    home: Home, settings: Settings, stranger: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = psutil.Process(stranger.pid)
    assert status.memory_of(known) > 0
    stranger.kill()
    stranger.wait()
    assert status.memory_of(known) == 0
    monkeypatch.setattr(processes, "running", lambda home, name: stranger.pid)
    assert status.of_process(home, settings, {}, "one")["pid"] is None
