"""The platform's own PostgreSQL keeps its data whatever happens to it."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from sav_ops.home import Home, free_port
from sav_ops.launch import postgres, processes


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    postgres.stop(home)


def ask(url: str, statement: str) -> Any:
    async def once() -> Any:
        connection = await asyncpg.connect(url, database="postgres")
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(once())


def test_data_survive_a_stop_and_a_kill(home: Home) -> None:
    url = postgres.start(home)
    ask(url, "create table kept as select 7 as x")
    postgres.stop(home)
    assert ask(postgres.start(home), "select x from kept") == 7
    pid = processes.running(home, postgres.NAME)
    assert pid
    os.kill(pid, signal.SIGKILL)
    processes.poll(lambda: processes.running(home, postgres.NAME) is None, 5, "it lives")
    assert ask(postgres.start(home), "select x from kept") == 7
    assert processes.running(home, postgres.NAME) != pid


def test_what_a_killed_server_left_at_work_does_not_stop_the_next(home: Home) -> None:
    """A stopped backend never notices that its server is gone, and holds the shared memory."""
    url = postgres.start(home)
    pid = processes.running(home, postgres.NAME)
    assert pid
    server = psutil.Process(pid)
    for child in server.children():
        child.suspend()
    server.kill()
    server.wait(5)
    began = time.monotonic()
    assert ask(postgres.start(home), "select 1") == 1
    assert time.monotonic() - began < 30
    assert home.settings()["SAV_DATABASE_URL"] == url


def test_the_log_keeps_nothing_of_a_row_that_was_refused(home: Home) -> None:
    url = postgres.start(home)
    ask(url, "create table person (email text unique, age int)")
    ask(url, "insert into person values ('lea@example.com')")
    for refused in ("insert into person values ('lea@example.com')", "select 'lea@example.com'::int"):
        with pytest.raises(asyncpg.PostgresError, match=r"lea@example|unique"):
            ask(url, refused)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        asyncio.run(asyncpg.connect(url, database="nowhere"))
    log = (home.logs / "postgres.log").read_text()
    assert "nowhere" in log  # it does tell what went wrong with the server
    assert "lea@example.com" not in log


def test_a_postmaster_pid_of_a_stranger_does_not_stop_it(home: Home) -> None:
    postgres.start(home)
    postgres.stop(home)
    (home.root / "pg" / "postmaster.pid").write_text(f"{os.getpid()}\n{home.root}/pg\n")
    assert ask(postgres.start(home), "select 1") == 1


def test_it_listens_on_this_machine_only_and_wants_the_password(home: Home) -> None:
    url = postgres.start(home)
    assert ask(url, "show listen_addresses") == "127.0.0.1"
    assert ask(url, "show unix_socket_directories") == ""
    assert ask(url, "show fsync") == "on"
    parts = urlsplit(url)
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(url.replace(parts.password or "", "guess"), "select 1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change user")
def test_root_runs_it_as_nobody_even_in_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    home = Home(closed / "home")
    try:
        assert ask(postgres.start(home), "select 1") == 1
        assert Path(f"/proc/{processes.running(home, postgres.NAME)}").stat().st_uid == postgres.nobody()[0]
    finally:
        postgres.stop(home)


def test_a_port_that_was_taken_meanwhile_is_given_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = somebody.getsockname()[1]
        choices = iter([taken, free_port()])
        monkeypatch.setattr(postgres, "free_port", lambda wanted: next(choices))
        url = postgres.start(home, taken)
        assert urlsplit(url).port != taken
        assert ask(url, "select 1") == 1
