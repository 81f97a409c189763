"""A telephone's calendar asks for two years of a technician's visits: unchanged, and whole."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx
from ground import Ground
from harness import Aim, Contender, Figures, Measured, interleaved, percentile
from people import token
from uuid_utils.compat import uuid7

from sav_chassis.calendar_files import Entry, calendar_text, event_text
from sav_chassis.settings import Settings
from sav_contracts.actor import Role

# Five visits a day, two years of working days.
VISITS, A_DAY = 2_200, 5
ASKED = 40
SAME, WHOLE = "304, p50 ms", "whole, p50 ms"
WHEN_ASKED = "each text made when it is asked for"
AIMS = [Aim(SAME, 20, "most"), Aim(WHOLE, 60, "most")]
COLUMNS = (
    *("id", "version", "created_at", "updated_at", "client_id", "technician_id", "reclamation_id"),
    *("reclamation_reference", "start", "end", "travel", "busy_until", "zone", "status", "uid", "sequence"),
)


async def measure(settings: Settings, rounds: int) -> Measured:
    """Milliseconds to the last byte, over HTTP."""
    ground = await Ground.fresh(settings, "feed")
    me = UUID(str(uuid7()))
    await fill(ground.settings, me)

    async def ours() -> Figures:
        async with ground.rooms("calendar", "edge"):
            return await read(ground.settings, me)

    measured = await interleaved(
        f"Calendar feed of {VISITS:,} visits",
        [Contender("SAV", ours), Contender(WHEN_ASKED, made)],
        AIMS,
        rounds,
    )
    measured.notes.append(
        f"A technician's visits of two years, {A_DAY} a day; `GET /api/me/calendar.ics?token=…`, {ASKED} times each, one after "
        "the other: edge, broker, calendar and back. Each visit's text was made when it changed, and is kept. Beside it the "
        "same library makes all of them when somebody asks, in this process and without the way there."
    )
    return measured


async def fill(settings: Settings, me: UUID) -> None:
    connection = await asyncpg.connect(settings.database("calendar"))
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = []
    for number in range(VISITS):
        id, start = UUID(str(uuid7())), _start(now, number)
        end = start + timedelta(hours=2)
        rows.append(
            (
                *(id, 1, now, now, UUID(str(uuid7())), me, UUID(str(uuid7())), f"REC-2026-{number:06}"),
                *(start, end, timedelta(), end, "Europe/Paris", "done", str(id), 0),
            )
        )
    await connection.copy_records_to_table("appointment", records=rows, columns=COLUMNS)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _start(now: datetime, number: int) -> datetime:
    day, visit = divmod(number, A_DAY)
    return now - timedelta(days=1 + day * 1.6, hours=3 * visit)


async def read(settings: Settings, me: UUID) -> Figures:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.edge_port}", timeout=60) as http:
        signed_in = {"Authorization": f"Bearer {token(settings, me, Role.TECHNICIAN)}"}
        made = await http.post("/api/me/calendar/rotate", json={}, headers=signed_in)
        query = {"token": made.json()["url"].partition("?token=")[2]}
        first = await http.get("/api/me/calendar.ics", params=query)
        assert first.text.count("BEGIN:VEVENT") == VISITS, first.text[:500]

        async def ask(known: dict[str, str], status: int) -> None:
            answer = await http.get("/api/me/calendar.ics", params=query, headers=known)
            assert answer.status_code == status

        return {
            SAME: await milliseconds(lambda: ask({"If-None-Match": first.headers["etag"]}, 304)),
            WHOLE: await milliseconds(lambda: ask({}, 200)),
        }


async def made() -> Figures:
    now = datetime.now(UTC)

    async def ask() -> None:
        texts = []
        for number in range(VISITS):
            start = _start(now, number)
            texts.append(
                event_text(
                    Entry(
                        uid=str(number),
                        sequence=0,
                        start=start,
                        end=start + timedelta(hours=2),
                        zone="Europe/Paris",
                        summary=f"REC-2026-{number:06} – Chaudière",
                        description=f"REC-2026-{number:06}",
                        location="3 rue des Lilas, 69003 Lyon",
                        cancelled=False,
                        changed_at=now,
                    )
                )
            )
        calendar_text(texts, {"Europe/Paris"}, "Visites SAV")

    took = await milliseconds(ask, 3)
    return {SAME: took, WHOLE: took}


async def milliseconds(ask: Callable[[], Awaitable[None]], times: int = ASKED) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - began) * 1000)
    return percentile(taken, 0.5)
