"""`sav status`: processes, queues, the services' outboxes and tasks, and what of it is wrong."""

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import asyncpg
import psutil
from rich.text import Text

from sav_chassis import topology
from sav_chassis.settings import Settings
from sav_chassis.telemetry import metrics
from sav_ops import queues, rooms
from sav_ops.home import Home, OpsError
from sav_ops.launch import keeper_client, liveness, postgres, processes, rabbitmq, readiness, restart_records
from sav_ops.terminal.console import out
from sav_ops.terminal.tables import listing, numbers
from sav_ops.terminal.text import printable

StatusReport = dict[str, Any]


def look(home: Home, settings: Settings) -> StatusReport:
    """Return the current status, as JSON; `wrong` names what somebody must look at."""
    with ThreadPoolExecutor(16) as pool:
        others = pool.submit(rabbitmq.queues, home)
        names = dict.fromkeys(
            (
                keeper_client.KEEPER,
                postgres.NAME,
                rabbitmq.EPMD,
                rabbitmq.NAME,
                *rooms.ROOMS,
                *processes.expected_processes(home),
            )
        )
        records = restart_records.read(home)
        found: StatusReport = {
            "watched": processes.running(home, keeper_client.KEEPER) is not None,
            "processes": list(pool.map(partial(of_process, home, settings, records), names)),
            "queues": asyncio.run(of_queues(settings.broker_url)),
            "work": asyncio.run(of_work(settings)),
        }
        everywhere = queues_everywhere(others)
    ours = {*topology.wanted(), topology.DEAD}
    found["queues_of_others"] = everywhere and {
        name: depth for name, depth in sorted(everywhere.items()) if name not in ours
    }
    return found | {"wrong": wrong(found)}


def queues_everywhere(asked: "Future[dict[str, dict[str, int]] | None]") -> dict[str, dict[str, int]] | None:
    """Return the queues that rabbitmqctl lists; None if the broker is not our private node, or it fails now."""
    try:
        return asked.result()
    except OpsError:
        return None


def of_process(home: Home, settings: Settings, records: StatusReport, name: str) -> StatusReport:
    pid = processes.running(home, name)
    record = records.get(name, {})
    found: StatusReport = {
        "name": name,
        "pid": pid,
        "wanted": name in processes.expected_processes(home),
        "restarts": record.get("restarts", 0),
        "died_at": record.get("died_at"),
        "why": record.get("why"),
    }
    if pid is None:
        return found
    try:
        process = psutil.Process(pid)
        # The keeper's children are listed themselves.
        family = [process, *(process.children(recursive=True) if name != keeper_client.KEEPER else ())]
    except psutil.Error:  # it ended while it was looked at
        return found | {"pid": None}
    found["up_seconds"] = int(time.time() - process.create_time())
    found["memory_mb"] = round(sum(map(memory_of, family)) / 1e6)
    if port := liveness.port_of(home, name):
        found |= {"health_port": port, "health": readiness.says(home, name, settings)}
    elif name in liveness.GREETINGS:
        found["health"] = asyncio.run(liveness.fault(home, name)) or "answers"
    return found


def memory_of(process: psutil.Process) -> int:
    """Return the bytes of memory that are its own; none of a process that ended while it was looked at."""
    try:
        return int(process.memory_full_info().pss)
    except (psutil.Error, OSError):
        return 0


async def of_queues(url: str) -> dict[str, StatusReport] | None:
    """Return messages and consumers of SAV's own queues; None if the broker does not answer."""
    if not await rabbitmq.answers(url):
        return None
    depths = await queues.depths(url, [*topology.wanted(), topology.DEAD])
    return {name: depth._asdict() for name, depth in depths.items()}


async def of_work(settings: Settings) -> dict[str, StatusReport] | None:
    """Return the work that waits in each database; None if PostgreSQL does not answer."""
    if not await postgres.answers(settings.database_url):
        return None
    found: dict[str, StatusReport] = {}
    for room in rooms.ROOMS:
        try:
            connection = await asyncpg.connect(settings.database(room), timeout=5)
        except asyncpg.InvalidCatalogNameError:
            continue
        try:
            found[room] = counts(await metrics.look(connection))
        except asyncpg.UndefinedTableError:
            continue  # the edge has no outbox; or the room was not migrated yet
        finally:
            await connection.close()
    return found


def counts(held: metrics.Held) -> StatusReport:
    """Return the counts to show. Failed timers count with the parked events; a running attempt is no failure yet."""
    of = held.tasks
    return {
        "outbox": held.depth,
        "parked": of["parked waiting"] + of["parked failing"] + of["timer failing"],
        "dead": of["parked dead"] + of["timer dead"],
        "effects_waiting": of["effect waiting"],
        "effects_failed": of["effect failing"] + of["effect dead"],
    }


def wrong(found: StatusReport) -> list[str]:
    """Return what somebody must look at, each in a few words; empty if all is well."""
    said = []
    for process in found["processes"]:
        if process["wanted"] and not process["pid"] and process["name"] != keeper_client.KEEPER:
            said.append(f"{process['name']} is down")
        elif process.get("health", "ready") not in ("ready", "answers"):
            said.append(f"{process['name']} is {process['health']}".replace(" is does ", " does "))
    if not found["watched"] and any(process["pid"] for process in found["processes"]):
        said.append("nothing watches these processes: ./sav up")
    if found["queues"] is None:
        said.append("RabbitMQ does not answer")
    if found["work"] is None:
        said.append("PostgreSQL does not answer")
    for room, counts in (found["work"] or {}).items():
        states = ("parked", "dead", "effects_failed")
        if stuck := [f"{counts[state]} {state.replace('_', ' ')}" for state in states if counts[state]]:
            said.append(f"{room} has {', '.join(stuck)}: ./sav parked")
    letters = (found["queues"] or {}).get(topology.DEAD)
    if letters and letters["messages"]:
        said.append(f"{letters['messages']} dead letters: ./sav dead")
    return said


def show(home: Home, settings: Settings, as_json: bool) -> bool:
    """Print the status, for people or as JSON; return whether all is well."""
    found = look(home, settings)
    if as_json:
        out.print(json.dumps(found, indent=1), markup=False, soft_wrap=True)
    else:
        for part in status_lines(found):
            out.print(part, soft_wrap=True)
    return not found["wrong"]


def status_lines(found: StatusReport) -> Iterable[Text | str]:
    """Yield the status as lines for a terminal of 80 columns."""
    if any(process["pid"] for process in found["processes"]):
        yield process_table(found["processes"])
    else:
        yield "No process of SAV runs here: ./sav up"
    if found["queues"] is not None:
        yield ""
        rows = [
            (name, str(depth["messages"]), str(depth["consumers"])) for name, depth in found["queues"].items()
        ]
        yield numbers(("queue", "messages", "consumers"), rows)
        yield from other_queue_lines(found["queues_of_others"])
    if found["work"] is not None:
        yield ""
        rows = [(room, *(str(count) for count in counts.values())) for room, counts in found["work"].items()]
        yield numbers(("database", "to publish", "parked", "dead", "effects waiting", "effects failed"), rows)
    yield ""
    if found["wrong"]:
        yield Text(printable("Not well: " + "; ".join(found["wrong"])), "yellow")
    else:
        yield Text("All is well.", "green")


def other_queue_lines(others: dict[str, StatusReport] | None) -> Iterable[Text | str]:
    yield ""
    if others is None:
        yield "Queues that are not ours cannot be seen from here: rabbitmqctl list_queues"
    elif others:
        rows = [
            (printable(name), str(each["messages"]), str(each["consumers"])) for name, each in others.items()
        ]
        yield numbers(("queue that is not ours", "messages", "consumers"), rows)
        if lost := [name for name, each in others.items() if each["messages"] and not each["consumers"]]:
            yield Text(
                f"Nobody reads {printable(', '.join(lost))}: its events are kept until it is deleted.",
                "yellow",
            )
    else:
        yield "No queue is there that is not ours."


def process_table(found: Sequence[StatusReport]) -> Text:
    rows = [
        (
            process["name"],
            str(process["pid"] or "–"),
            age(process["up_seconds"]) if process["pid"] else "–",
            str(process.get("memory_mb", "–")),
            str(process.get("health_port", "–")),
            str(process["restarts"]),
            "ready" if process.get("health") == "ready" else "" if process["pid"] else "down",
        )
        for process in found
    ]
    header = ("process", "pid", "up for", "MB", "port", "restarts", "health")
    return listing(header, rows, [note(process) for process in found])


def note(process: StatusReport) -> str:
    """Return a note about a process: why it is not ready, its last end, or that it was not started here."""
    said = []
    if process.get("health", "ready") not in ("ready", "answers"):
        said.append(process["health"])
    if process["died_at"]:
        said.append(f"last {age(int(time.time() - process['died_at']))} ago: {process['why']}")
    if not process["pid"] and not process["wanted"]:
        said.append("not started here")
    return printable("; ".join(said))


def age(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
