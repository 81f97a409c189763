"""Effects of catalog."""

import asyncio
import time
from pathlib import PurePath
from typing import Literal
from uuid import UUID

import asyncpg
from sqlalchemy import exists, select
from sqlalchemy.exc import DBAPIError

from sav_catalog.app import catalog
from sav_catalog.imports import applying, checking, report
from sav_catalog.imports.lines import Table
from sav_catalog.model import ArticleImport
from sav_chassis.database import driver, is_transient
from sav_chassis.errors import TryLater
from sav_chassis.files import Files
from sav_chassis.tx import EffectRun, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.article_import import (
    ArticleImportChanged,
    ArticleImportDone,
    ArticleImportRefused,
    ArticleImportStatus,
)
from sav_contracts.files import CSV

# Seconds of one run, which then asks for the next one: a process that stops waits a little longer.
RUN = 4.0
# Lines that are checked in one transaction.
CHECKED_AT_ONCE = 400
# The lock of whoever begins or ends an import.
TURN = "article imports"


@catalog.effect
async def run_article_import(id: UUID, run: EffectRun) -> None:
    """Checks all lines of an import and then imports them, batch by batch; goes on where an earlier run ended."""
    try:
        await _run(id, run, time.monotonic() + RUN)
    except (DBAPIError, asyncpg.PostgresError) as error:
        if not is_transient(error):
            raise
        raise TryLater("somebody else changed one of these articles at the same moment") from None


async def _run(id: UUID, run: EffectRun, until: float) -> None:
    async with run() as tx:
        status = await _begin(tx, id)
        files = Files(tx.settings.files_url)
    if status == "checking" and await _check(id, run, files, until):
        status = await _conclude(id, run, files)
    if status == "running":
        more = True
        while more:
            async with run() as tx:
                more = await _import(tx, id)
            if more and time.monotonic() > until:
                await _ask_again(id, run)
                return
        await _end(id, run, files, "done")
    await _forget(id, run)


async def _begin(tx: Tx, id: UUID) -> ArticleImportStatus:
    """Begins the check; a real import only while no other one goes on, so that each sees what the one before did."""
    await tx.lock(TURN)
    importing = await tx.load(ArticleImport, id, SYSTEM)
    if importing.status == "queued" and (importing.dry_run or not await _is_taken(tx)):
        importing.move("checking", SYSTEM)
        tx.emit(importing, ArticleImportChanged())
    return importing.status


async def _is_taken(tx: Tx) -> bool:
    going_on = ArticleImport.status.in_(("checking", "running")), ~ArticleImport.dry_run
    return bool(await tx.session.scalar(select(exists().where(*going_on))))


async def _check(id: UUID, run: EffectRun, files: Files, until: float) -> bool:
    """Checks the lines that are not checked yet; True where that was all of them."""
    async with run() as tx:
        begun = await tx.load(ArticleImport, id, SYSTEM)
    table = Table(await files.get(begun.file), begun.checked)
    lines = begun.lines if begun.lines is not None else await asyncio.to_thread(table.count)
    checked = begun.checked
    more = True
    while more:
        async with run() as tx:
            importing = await tx.load(ArticleImport, id, SYSTEM)
            if importing.status != "checking" or importing.checked != checked:
                return False  # it was cancelled, or another run has taken over
            importing.lines = lines
            more = await checking.check_lines(tx, importing, table, CHECKED_AT_ONCE)
            checked = importing.checked
            tx.emit(importing, ArticleImportChanged())
        if more and time.monotonic() > until:
            await _ask_again(id, run)
            return False
    return True


async def _conclude(id: UUID, run: EffectRun, files: Files) -> ArticleImportStatus:
    """Where all lines are right, begins to import them; ends a dry run, and what has a wrong line."""
    async with run() as tx:
        importing = await tx.load(ArticleImport, id, SYSTEM)
        if importing.status == "checking":
            await checking.complete(tx, importing)
            if not importing.wrong and not importing.dry_run:
                importing.move("running", SYSTEM)
            tx.emit(importing, ArticleImportChanged())
    if importing.status == "checking":
        await _end(id, run, files, "done" if importing.dry_run else "refused")
    return importing.status


async def _import(tx: Tx, id: UUID) -> bool:
    """Imports the next lines; False where none is left, or the import was cancelled."""
    importing = await tx.load(ArticleImport, id, SYSTEM)
    if importing.status != "running" or not await applying.import_lines(tx, importing):
        return False
    tx.emit(importing, ArticleImportChanged())
    return True


async def _end(id: UUID, run: EffectRun, files: Files, status: Literal["done", "refused"]) -> None:
    """Writes the report, if there is anything to report, and ends the import."""
    async with run() as tx:
        begun = await tx.load(ArticleImport, id, SYSTEM)
        text = await report.written(tx, id) if begun.wrong else b""
    kept = await files.put(text, CSV, f"{PurePath(begun.file.name).stem[:150]}.report.csv") if text else None
    async with run() as tx:
        await tx.lock(TURN)
        importing = await tx.load(ArticleImport, id, SYSTEM)
        if importing.status != begun.status or status not in importing.lifecycle.legal(
            importing.status, SYSTEM
        ):
            return  # it was cancelled, or another run has ended it
        importing.report = kept
        importing.move(status, SYSTEM)
        tx.emit(importing, ArticleImportDone() if status == "done" else ArticleImportRefused())
        await next_turn(tx)


async def _ask_again(id: UUID, run: EffectRun) -> None:
    async with run() as tx:
        tx.later(run_article_import, id)


async def next_turn(tx: Tx) -> None:
    """Lets the import that has waited longest begin. For whoever ends one, and holds the lock."""
    await tx.flush()
    waiting = select(ArticleImport.id).where(ArticleImport.status == "queued", ~ArticleImport.dry_run)
    if following := await tx.session.scalar(waiting.order_by(ArticleImport.created_at).limit(1)):
        tx.later(run_article_import, following)


async def _forget(id: UUID, run: EffectRun) -> None:
    """Removes the lines and faults of an import that is over."""
    async with run() as tx:
        if not (await tx.load(ArticleImport, id, SYSTEM)).view().is_open():
            for table in ("article_import_line", "article_import_fault"):
                await driver(tx.session).execute(f"DELETE FROM {table} WHERE import_id = $1", id)
