"""Where processes answer for their health, and what ops makes of what they say."""

import asyncio
import json
from pathlib import Path

import pytest

from sav_chassis.process.health import Health
from sav_chassis.settings import Settings
from sav_ops.home import Home
from sav_ops.launch import readiness


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_process_gets_a_port_of_its_own_and_keeps_it(home: Home) -> None:
    given = {name: readiness.give_port(home, name) for name in ("claims", "claims-2", "edge")}
    assert len(set(given.values())) == 3
    assert readiness.give_port(home, "claims") == given["claims"]
    # What another process was given is not free, though nobody listens yet.
    (home.run / "auth.port").write_text(str(given["edge"]))
    assert readiness.give_port(home, "auth") not in given.values()


async def test_what_a_process_says_is_told_in_a_few_words(home: Home) -> None:
    mine, settings = Health(), Settings()
    assert readiness.says(home, "claims", settings) == "not live: does not answer"
    async with mine.answering(settings):
        (home.run / "claims.port").write_text(str(mine.port))

        async def says() -> str:
            return await asyncio.to_thread(readiness.says, home, "claims", settings)

        assert await says() == "not ready: started"
        gone = mine.watch(asyncio.create_task(asyncio.sleep(0), name="relay"))
        await gone
        with mine.started():
            assert await says() == "not live: relay"


async def test_somebody_else_on_the_port_is_not_taken_for_the_process(home: Home) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        (home.run / "claims.port").write_text(str(server.sockets[0].getsockname()[1]))
        said = await asyncio.to_thread(readiness.says, home, "claims", Settings())
    assert said == "not live: does not answer"


def test_a_scraper_finds_every_process(home: Home) -> None:
    processes = {"claims": "claims", "claims-2": "claims"}
    ports = {name: readiness.give_port(home, name) for name in processes}
    readiness.write_targets(home, processes, Settings(health_host="0.0.0.0"))
    assert json.loads((home.root / readiness.TARGETS).read_text()) == [
        {"targets": [f"127.0.0.1:{ports[name]}"], "labels": {"room": "claims", "process": name}}
        for name in processes
    ]
