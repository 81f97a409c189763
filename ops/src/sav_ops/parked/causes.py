"""`sav parked causes`: failed tasks, grouped by cause; each cause has a name for the command line."""

import asyncio
import re
from collections.abc import Iterable, Sequence

from sav_chassis.settings import Settings
from sav_ops.home import OpsError
from sav_ops.parked.task_list import Task, parked_of_record, short_keys, table, tasks
from sav_ops.rooms import chosen_services
from sav_ops.terminal.console import out
from sav_ops.terminal.tables import listing
from sav_ops.terminal.text import printable, span

RECORDS = 3


def name(task: Task) -> str:
    """Return the name of a task's cause: service, reaction, timer or effect, error: calendar.book_visit.DataError."""
    return printable(f"{task.id.service}.{task.handler}.{kind(task.cause)}")


def kind(cause: str) -> str:
    """Return the class in the last line of a traceback: DataError of `sqlalchemy.exc.DataError: …`."""
    found = re.match(r"[\w.]+", cause)
    return found[0].rpartition(".")[2] if found else "unknown"


def failed(known: Iterable[Task]) -> list[Task]:
    """Return the tasks that failed or are dead, without those that only wait behind them."""
    return [task for task in known if task.standing in ("failed", "dead") and not task.is_behind]


def choose(known: Sequence[Task], cause: str) -> list[Task]:
    """Return the tasks that failed for this cause (`CAUSE`, or `CAUSE: text` for errors that contain the text).

    OpsError if there are none.
    """
    wanted, _, text = (part.strip() for part in cause.partition(":"))
    of_cause = [task for task in failed(known) if name(task) == wanted]
    found = [task for task in of_cause if text in task.cause]
    if found:
        return found
    if of_cause:
        said = sorted({task.cause for task in of_cause})
        raise OpsError(
            "\n".join([f"No error of {wanted} says {text!r}; they say:", *(f"  {one}" for one in said)])
        )
    names = sorted({name(task) for task in failed(known)})
    raise OpsError("\n".join([f"Nothing is parked for {wanted}; there are:", *(f"  {one}" for one in names)]))


def look(settings: Settings, cause: str, service: str | None) -> int:
    """Print the tasks that failed for this cause; return their number."""
    known = asyncio.run(tasks(settings, chosen_services(service)))
    found = choose(known, cause)
    out.print(table(found, short_keys(known)), soft_wrap=True)
    return len(found)


def list_them(settings: Settings, service: str | None) -> None:
    """Print each cause: how many tasks failed, how many wait behind them, since when, of which records."""
    known = asyncio.run(tasks(settings, chosen_services(service)))
    of_cause: dict[str, list[Task]] = {}
    for task in failed(known):
        of_cause.setdefault(name(task), []).append(task)
    if not of_cause:
        out.print("Nothing is parked.")
        return
    rows = [
        (
            str(len(found)),
            str(sum(len(parked_of_record(task, known)) - 1 for task in found if task.id.use == "parked")),
            span(max(task.waited for task in found)),
            cause,
        )
        for cause, found in of_cause.items()
    ]
    header = ("failed", "held back", "since", "cause")
    out.print(listing(header, rows, [note(found) for found in of_cause.values()]), soft_wrap=True)
    out.print(
        "\n[dim]Try all of one again: ./sav parked release --cause CAUSE.\n"
        "Give them up for good: ./sav parked skip --cause CAUSE --reason …\n"
        "Only those whose error says so: --cause 'CAUSE: text'[/]"
    )


def note(found: Sequence[Task]) -> str:
    """Return the first records, and what the first error says."""
    records = [task.record for task in found[:RECORDS]]
    more = f" and {len(found) - RECORDS} more" if len(found) > RECORDS else ""
    return printable(f"{', '.join(records)}{more}\n    {found[0].cause}")
