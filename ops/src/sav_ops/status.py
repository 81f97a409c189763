"""`sav status`: processes, queues, and what the services still have to send or could not do."""

import asyncio
import re
import time
from collections.abc import Iterable, Sequence

import asyncpg
import psutil
from rich.table import Table
from rich.text import Text

from sav_chassis import topology
from sav_chassis.settings import Settings
from sav_ops import health, platform, postgres, processes, queues, rabbitmq, rooms
from sav_ops.home import Home
from sav_ops.steps import out

# A timer is counted with the parked events once it has failed. A try that is under way may yet succeed.
COUNTS = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
    count(*) FILTER (WHERE state <> 'dead' AND (use = 'parked' OR use = 'timer' AND failures > 0)) AS parked,
    count(*) FILTER (WHERE state = 'dead' AND use <> 'effect') AS dead,
    count(*) FILTER (WHERE use = 'effect' AND state <> 'dead' AND failures <= 0) AS effects_waiting,
    count(*) FILTER (WHERE use = 'effect' AND (state = 'dead' OR failures > 0)) AS effects_failed
FROM (SELECT use, state, attempts - coalesce((leased_until > now())::int, 0) AS failures FROM task) AS tried"""
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def show(home: Home, settings: Settings) -> None:
    names = tuple(
        dict.fromkeys((postgres.NAME, "epmd", rabbitmq.NAME, *rooms.ROOMS, *platform.started(home)))
    )
    pids = {name: pid for name in names if (pid := processes.running(home, name))}
    shown = process_table(home, settings, names, pids)
    out.print(shown if pids else "No process of SAV runs here: ./sav up")
    if asyncio.run(rabbitmq.answers(settings.broker_url)):
        asyncio.run(show_queues(settings.broker_url))
    else:
        out.print("RabbitMQ does not answer.")
    if asyncio.run(postgres.answers(settings.database_url)):
        asyncio.run(show_work(settings))
    else:
        out.print("PostgreSQL does not answer.")


def process_table(home: Home, settings: Settings, names: tuple[str, ...], pids: dict[str, int]) -> Table:
    table = table_of("process", "pid", "up for", "memory MB", "health port", "health")
    for name in names:
        if name in pids:
            process = psutil.Process(pids[name])
            family = [process, *process.children(recursive=True)]
            memory = sum(member.memory_full_info().pss for member in family)
            seconds = int(time.time() - process.create_time())
            age = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            port = health.port_of(home, name)
            said = (str(port), health.says(home, name, settings)) if port else ()
            table.add_row(name, str(pids[name]), age, f"{memory / 1e6:.0f}", *said)
        else:
            table.add_row(name, "[dim]–[/]", "[dim]down, or not ours[/]")
    return table


async def show_queues(url: str) -> None:
    table = table_of("queue", "messages", "consumers")
    depths = await queues.depths(url, [*topology.wanted(), topology.DEAD])
    for name, depth in depths.items():
        table.add_row(name, str(depth.messages), str(depth.consumers))
    out.print(table)
    if topology.DEAD in depths and depths[topology.DEAD].messages:
        out.print("[yellow]Some messages could not be handled: ./sav dead[/]\n")


async def show_work(settings: Settings) -> None:
    table = table_of("database", "to publish", "parked", "dead", "effects waiting", "effects failed")
    failed = 0
    for room in rooms.ROOMS:
        try:
            connection = await asyncpg.connect(settings.database(room), timeout=5)
        except asyncpg.InvalidCatalogNameError:
            continue
        try:
            row = await connection.fetchrow(COUNTS)
        except asyncpg.UndefinedTableError:
            continue  # the edge has no outbox; a room before its first migration has nothing
        finally:
            await connection.close()
        table.add_row(room, *(str(value) for value in row or ()))
        failed += row["parked"] + row["dead"] + row["effects_failed"] if row else 0
    out.print(table)
    if failed:
        out.print("[yellow]Some work failed, or waits behind what failed: ./sav parked[/]")


def listing(header: Sequence[str], rows: Iterable[Sequence[str | Text]], notes: Iterable[str]) -> Text:
    """Rows in columns, each with its note on a line of its own below: a note is as long as it has to be."""
    columns = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    titles = [Text(title, "bold") for title in header]
    widths = [max(cell.cell_len for cell in column) for column in zip(titles, *columns, strict=True)]
    shown = [in_columns(titles, widths)]
    for row, note in zip(columns, notes, strict=True):
        shown.append(in_columns(row, widths))
        if note:
            shown.append(Text(f"    {note}", "dim"))
    return Text("\n").join(shown)


def in_columns(cells: Iterable[Text], widths: Iterable[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell).append(" " * (width - cell.cell_len + 2))
    line.rstrip()
    return line


def printable(text: str) -> str:
    """Return text that drives no terminal: control characters are spelt, but for line breaks and tabs."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def table_of(first: str, *numbers: str) -> Table:
    table = Table(first, box=None, header_style="bold", padding=(0, 3, 0, 0))
    for name in numbers:
        table.add_column(name, justify="right")
    return table
