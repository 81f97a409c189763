"""`sav status`: processes, queues, and what the services still have to send or could not do."""

import asyncio
import time

import asyncpg
import psutil
from rich.table import Table

from sav_chassis import topology
from sav_chassis.settings import Settings
from sav_ops import platform, postgres, processes, queues, rabbitmq, rooms
from sav_ops.home import Home
from sav_ops.steps import out

COUNTS = """select (select count(*) from outbox) as outbox,
    (select count(*) from task where use = 'parked' and state <> 'dead') as parked,
    (select count(*) from task where use = 'parked' and state = 'dead') as dead"""


def show(home: Home, settings: Settings) -> None:
    names = tuple(
        dict.fromkeys((postgres.NAME, "epmd", rabbitmq.NAME, *rooms.ROOMS, *platform.started(home)))
    )
    pids = {name: pid for name in names if (pid := processes.running(home, name))}
    out.print(process_table(names, pids) if pids else "No process of SAV runs here: ./sav up")
    if asyncio.run(rabbitmq.answers(settings.broker_url)):
        out.print(asyncio.run(queue_table(settings.broker_url)))
    else:
        out.print("RabbitMQ does not answer.")
    if asyncio.run(postgres.answers(settings.database_url)):
        out.print(asyncio.run(work_table(settings)))
    else:
        out.print("PostgreSQL does not answer.")


def process_table(names: tuple[str, ...], pids: dict[str, int]) -> Table:
    table = table_of("process", "pid", "up for", "memory MB")
    for name in names:
        if name in pids:
            process = psutil.Process(pids[name])
            family = [process, *process.children(recursive=True)]
            memory = sum(member.memory_full_info().pss for member in family)
            seconds = int(time.time() - process.create_time())
            age = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
            table.add_row(name, str(pids[name]), age, f"{memory / 1e6:.0f}")
        else:
            table.add_row(name, "[dim]–[/]", "[dim]down, or not ours[/]", "")
    return table


async def queue_table(url: str) -> Table:
    table = table_of("queue", "messages", "consumers")
    for name, depth in (await queues.depths(url, [*topology.wanted(), topology.DEAD])).items():
        table.add_row(name, str(depth.messages), str(depth.consumers))
    return table


async def work_table(settings: Settings) -> Table:
    table = table_of("database", "to publish", "parked", "dead")
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
    return table


def table_of(first: str, *numbers: str) -> Table:
    table = Table(first, box=None, header_style="bold", padding=(0, 3, 0, 0))
    for name in numbers:
        table.add_column(name, justify="right")
    return table
