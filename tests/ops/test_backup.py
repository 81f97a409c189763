"""What a backup refuses to be: half, damaged, readable by others, or taken where it may not be taken."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pytest
from system import System

from sav_chassis.settings import Settings
from sav_ops import queues
from sav_ops.backup import backup
from sav_ops.home import REPO, Home, OpsError
from sav_ops.launch import postgres


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    postgres.stop(home)


@pytest.fixture(scope="module")
def given(system: System, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of somebody whose database and broker are not ours."""
    settings = system.settings
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    return mine | {
        "SAV_HOME": str(tmp_path_factory.mktemp("given")),
        "SAV_DATABASE_URL": settings.database_url,
        "SAV_DATABASE_PREFIX": settings.database_prefix,
        "SAV_BROKER_URL": settings.broker_url,
        "SAV_FILES_URL": settings.files_url,
    }


@pytest.fixture(scope="module")
def taken(given: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("backups") / "monday"
    done = sav(given, "backup", str(place))
    assert done.returncode == 0, done.stdout + done.stderr
    # Whose broker is not ours is told how to keep what it knows.
    assert "rabbitmqctl export_definitions" in done.stdout
    assert "SAV_DATABASE_URL" in done.stdout
    return place


def sav(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sav_ops", *words]
    return subprocess.run(command, env=environment, cwd=REPO, capture_output=True, text=True, timeout=150)


def test_only_its_owner_reads_it(taken: Path) -> None:
    backup.read(taken)
    inside = [taken, *taken.rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in inside} == {0}
    assert json.loads((taken / "env").read_text())["SAV_SIGNING_KEY"]


def test_what_was_interrupted_is_no_backup(given: dict[str, str], taken: Path, tmp_path: Path) -> None:
    half = tmp_path / "tuesday.unfinished"
    half.mkdir()
    (half / "pg").write_text("left by somebody who was killed")
    with pytest.raises(OpsError, match="no whole backup"):
        backup.read(half)
    # The next one of that name begins anew.
    assert sav(given, "backup", str(tmp_path / "tuesday")).returncode == 0
    assert not half.exists()
    again = sav(given, "backup", str(taken))
    assert again.returncode == 1
    assert "is there already" in again.stdout


@pytest.mark.parametrize("part", ["env", "pg/global/pg_control", "pg/backup_manifest"])
def test_what_was_changed_since_is_not_restored(taken: Path, part: str) -> None:
    file = taken / part
    kept = file.read_bytes()
    file.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    try:
        with pytest.raises(OpsError, match="is damaged"):
            backup.read(taken)
    finally:
        file.write_bytes(kept)
    backup.read(taken)


def test_a_server_of_others_is_restored_by_its_operator(given: dict[str, str], taken: Path) -> None:
    done = sav(given, "restore", str(taken))
    assert done.returncode == 1
    assert f"put {taken}/pg in the place of its data directory" in done.stdout
    assert "./sav restored" in done.stdout


def test_numbers_go_on_ahead_only_where_nobody_works(given: dict[str, str], system: System) -> None:
    done = sav(given, "restored", "--last-invoice", "none")
    assert done.returncode == 1
    assert "Somebody works on the database of auth: stop every room first." in done.stdout


def test_what_cannot_be_meant_is_told_before_anything_is_done(given: dict[str, str], taken: Path) -> None:
    for words, why in (
        (("--last-invoice", "FAC-1"), "'FAC-1' is no number of an invoice, such as FAC-2026-000123"),
        (("--last-invoice", "none", "--new-series", "FAC2"), "not both"),
    ):
        done = sav(given, "restored", *words)
        assert (done.returncode, why in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize("there", ["pg", "files", "env"])
def test_a_home_with_data_is_not_overwritten_unasked(taken: Path, tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir()
    mine = {name: value for name, value in os.environ.items() if not name.startswith("SAV_")}
    refused = sav(mine | {"SAV_HOME": str(tmp_path)}, "restore", str(taken))
    assert refused.returncode == 1
    assert "--overwrite" in refused.stdout
    asked = sav(mine | {"SAV_HOME": str(tmp_path)}, "restore", str(taken), "--overwrite")
    assert asked.returncode == 1
    assert "go back to the backup?" in asked.stdout
    assert (tmp_path / there).exists()


def test_who_may_not_copy_the_server_is_told_the_right_that_is_lacking(
    given: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    async def sql(statement: str) -> None:
        connection = await asyncpg.connect(settings.database_url, database="postgres")
        await connection.execute(statement)
        await connection.close()

    server = urlsplit(settings.database_url)
    asyncio.run(sql("CREATE ROLE plain LOGIN PASSWORD 'plain'"))
    try:
        url = server._replace(netloc=f"plain:plain@{server.hostname}:{server.port}").geturl()
        done = sav(given | {"SAV_DATABASE_URL": url}, "backup", str(tmp_path / "backup"))
    finally:
        asyncio.run(sql("DROP ROLE plain"))
    assert done.returncode == 1
    assert 'ALTER ROLE "plain" REPLICATION' in done.stdout


def test_a_server_that_lets_nobody_copy_it_from_here_says_which_line_it_lacks(
    home: Home, tmp_path: Path
) -> None:
    postgres.start(home)
    postgres.stop(home)
    rules = home.root / "pg" / "pg_hba.conf"
    rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    url = postgres.start(home)
    with pytest.raises(OpsError, match="host replication sav <address>/32 scram-sha-256"):
        backup.copy_databases(url, tmp_path / "pg", lambda done, total: None)


async def test_our_queues_are_emptied_and_no_others(system: System) -> None:
    async with await aio_pika.connect(system.settings.broker_url) as connection:
        channel = await connection.channel()
        theirs = await channel.declare_queue("theirs", durable=True)
        for name in ("sav.dead", "theirs"):
            await channel.default_exchange.publish(aio_pika.Message(b"{}"), routing_key=name)
        await queues.empty(system.settings.broker_url)
        depths = await queues.depths(system.settings.broker_url, ["sav.dead", "theirs"])
        await theirs.delete(if_unused=False, if_empty=False)
    assert {name: depth.messages for name, depth in depths.items()} == {"sav.dead": 0, "theirs": 1}
