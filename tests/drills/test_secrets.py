"""No password, token or hash in any log, event, queue, stored answer or dead letter, after all the drills."""

import asyncpg
import pytest
from drills.fire import Fire
from drills.travelling import people

from sav_contracts.demo import PASSWORD
from sav_ops import queues, rooms
from sav_ops.home import Home


async def everything_stored(fire: Fire) -> dict[str, str]:
    """All that is kept anywhere, but for the accounts' own table."""
    kept = {str(path.name): path.read_text(errors="replace") for path in fire.home.logs.iterdir()}
    for room in rooms.ROOMS:
        connection = await asyncpg.connect(fire.settings.database(room))
        try:
            tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for table in (row["tablename"] for row in tables if row["tablename"] != "account"):
                rows = await connection.fetch(f'SELECT t::text FROM "{table}" t')
                kept[f"{room}.{table}"] = "\n".join(row["t"] for row in rows)
        finally:
            await connection.close()
    return kept


async def test_no_secret_is_kept_anywhere(fire: Fire) -> None:
    async with people(fire.address()) as voices:
        tokens = [voice.token for voice in voices]
    settings = fire.home.settings()
    secrets = {
        "a password": PASSWORD,
        "a hash": "$argon2",
        "the link secret": settings["SAV_LINK_SECRET"],
        "the signing key": settings["SAV_SIGNING_KEY"].splitlines()[1],
        "a token": "eyJhbGciOi",
        **{f"token {number}": token for number, token in enumerate(tokens)},
    }
    found = [
        f"{what} in {where}"
        for where, text in (await everything_stored(fire)).items()
        for what, secret in secrets.items()
        if secret in text
    ]
    assert found == []
    # The look would see one: the accounts' own table holds hashes.
    connection = await asyncpg.connect(fire.settings.database("auth"))
    assert "$argon2" in str(await connection.fetch("SELECT t::text FROM account t"))
    await connection.close()
    depths = await queues.depths(
        fire.settings.broker_url, ["sav.dead", *(f"{room}.commands" for room in rooms.SERVICES)]
    )
    assert {name: depth.messages for name, depth in depths.items()} == dict.fromkeys(depths, 0)


@pytest.mark.parametrize("file", ["env"])
def test_only_the_owner_reads_the_keys(fire: Fire, file: str) -> None:
    home: Home = fire.home
    assert (home.root / file).stat().st_mode & 0o077 == 0
