"""Compares the rows of aggregates with the last event of each, and checks the files that they name.

A row's view is made as the chassis makes it at a commit; the logged state is read as the current view. Fields that are
not in the event are not compared: an old event lacks those that the view got later.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.files import FileLost, Files
from sav_chassis.model import Aggregate
from sav_chassis.service import Service
from sav_contracts.files import StoredFile
from sav_contracts.messages import View
from sav_ops.verify.aggregates import Unreadable, read, session
from sav_ops.verify.moment import BATCH, Snapshot, decoded

PAGE = BATCH // 2
LAST = text("""
SELECT l.* FROM unnest(CAST(:ids AS uuid[])) AS looked_for
CROSS JOIN LATERAL (SELECT * FROM event_log WHERE subject = looked_for ORDER BY sequence DESC LIMIT 1) l""")
ROWLESS = """
SELECT DISTINCT l.kind, l.subject FROM event_log l WHERE {nowhere} ORDER BY 1, 2"""


async def rows(moment: Snapshot) -> AsyncIterator[str]:
    """Check that every row has the state in its record's last event, and that the store has every file it names."""
    files = Files(moment.settings.files_url)
    for service in moment.services.values():
        models = list(aggregates(service))
        if not models:
            continue
        async for line in rowless(moment, service, models):
            yield line
        async with session(moment.settings, service.name) as opened:
            for model in models:
                async for line in of_model(moment, service, opened, model, files):
                    yield line


def aggregates(service: Service) -> Iterator[type[Aggregate]]:
    """Yield the aggregate classes of a service."""
    for model in Aggregate.__subclasses__():
        if model.__module__.startswith(f"sav_{service.name}."):
            yield model


async def rowless(
    moment: Snapshot, service: Service, models: Sequence[type[Aggregate]]
) -> AsyncIterator[str]:
    nowhere = " AND ".join(
        f'NOT EXISTS (SELECT FROM "{model.__tablename__}" r WHERE r.id = l.subject)' for model in models
    )
    cursor = moment.databases[service.name].cursor(ROWLESS.format(nowhere=nowhere), prefetch=BATCH)
    async for row in cursor:
        yield f"{service.name}: {row['kind']} {row['subject']} has a log, and no row"


async def of_model(
    moment: Snapshot, service: Service, opened: AsyncSession, model: type[Aggregate], files: Files
) -> AsyncIterator[str]:
    total = await moment.databases[service.name].fetchval(f'SELECT count(*) FROM "{model.__tablename__}"')
    with moment.show(model.__tablename__) as tell:
        done, after = 0, UUID(int=0)
        while ids := await page(opened, model, after):
            wrong, named = await compared(opened, model, ids)
            for line in wrong:
                yield f"{service.name}: {line}"
            async for line in lost(files, named):
                yield f"{service.name}: {line}"
            moment.checked["files"] += len(named)
            done, after = done + len(ids), ids[-1]
            tell(done, max(done, total))
        moment.checked["rows"] += done


async def page(opened: AsyncSession, model: type[Aggregate], after: UUID) -> Sequence[UUID]:
    found = await opened.scalars(select(model.id).where(model.id > after).order_by(model.id).limit(PAGE))
    return found.all()


async def compared(
    opened: AsyncSession, model: type[Aggregate], ids: Sequence[UUID]
) -> tuple[list[str], list[tuple[str, StoredFile]]]:
    """Return what contradicts the log of these records, and the files that they name, as of one moment."""
    await opened.rollback()
    last = {
        UUID(str(row["subject"])): row for row in (await opened.execute(LAST, {"ids": list(ids)})).mappings()
    }
    wrong: list[str] = []
    named: list[tuple[str, StoredFile]] = []
    kind = model.__tablename__
    for record in await read(opened, model, ids):
        if isinstance(record, Unreadable):
            wrong.append(f"{kind} {record.id} cannot be read: {record.why}")
            continue
        name = f"{kind} {record.id}"
        try:
            shown = record.view()
            view = type(shown).model_validate_json(shown.model_dump_json())
        except ValueError as error:
            wrong.append(f"{name} cannot be shown: {str(error).partition(chr(10))[0]}")
            continue
        if line := contradiction(record, view, last.get(record.id)):
            wrong.append(f"{name} {line}")
        named += [(name, file) for file in files_of(view)]
    await opened.rollback()
    opened.expunge_all()
    return wrong, named


def contradiction(record: Aggregate, view: View, last: RowMapping | None) -> str | None:
    if last is None:
        return "has no event"
    if record.version != last["sequence"]:
        return f"is at version {record.version}, its log at {last['sequence']}"
    if not (recorded := decoded(last)):
        return f"cannot be compared: its last event, {last['id']}, cannot be read"
    fields = ", ".join(differing(recorded[1].state, view))
    return f"is not what its last event says: {fields}" if fields else None


def differing(logged: Any, now: Any, at: str = "") -> Iterator[str]:
    """Yield the path of every logged field that has another value now."""
    pairs: list[tuple[str, Any, Any]]
    if isinstance(logged, BaseModel) and isinstance(now, BaseModel):
        pairs = [
            (name, getattr(logged, name), getattr(now, name)) for name in sorted(logged.model_fields_set)
        ]
    elif isinstance(logged, Mapping) and isinstance(now, Mapping) and logged.keys() == now.keys():
        pairs = [(str(name), logged[name], now[name]) for name in logged]
    elif isinstance(logged, (list, tuple)) and isinstance(now, (list, tuple)) and len(logged) == len(now):
        pairs = [(str(place), *both) for place, both in enumerate(zip(logged, now, strict=True))]
    else:
        pairs = []
        if logged != now:
            yield at
    for name, was, is_ in pairs:
        yield from differing(was, is_, f"{at}.{name}".lstrip("."))


def files_of(said: Any) -> Iterator[StoredFile]:
    """Yield every file that a view names, at any depth."""
    if isinstance(said, StoredFile):
        yield said
    elif isinstance(said, BaseModel):
        for name in type(said).model_fields:
            yield from files_of(getattr(said, name))
    elif isinstance(said, (list, tuple)):
        for one in said:
            yield from files_of(one)


async def lost(files: Files, named: Sequence[tuple[str, StoredFile]]) -> AsyncIterator[str]:
    for name, file in named:
        try:
            await files.check(file)
        except FileLost as error:
            yield f"{name}: {error}"
