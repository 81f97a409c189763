"""Imports beside one another, beside people who change the same articles, and whoever stops them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
import world
from given_catalog import BOILER, article, stock
from given_tables import (
    JOINT,
    NAMES,
    asked,
    catalogue,
    imported,
    left,
    many,
    over,
    replaced,
    shown,
    stored,
    text,
    told,
    wrong_lines,
)

from sav_catalog import effects
from sav_catalog.commands import article as article_commands
from sav_catalog.imports import applying, checking
from sav_chassis.testing import Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import AddArticle, ChangeArticle, RetireArticle
from sav_contracts.catalog.article_import import ArticleImportCancelled, CancelArticleImport, ImportArticles
from sav_contracts.catalog.stock import MoveStock


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BATCH", 3)
    monkeypatch.setattr(effects, "CHECKED_AT_ONCE", 3)


def after(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, times: int, then: Any) -> None:
    """Does something as soon as this step of an import was done so many times, and is committed."""
    step = getattr(module, name)
    calls = 0

    async def counted(*given: Any) -> Any:
        nonlocal calls
        if calls == times:
            calls += 1
            await then()
        calls += 1
        return await step(*given)

    monkeypatch.setattr(module, name, counted)


@pytest.mark.parametrize("who", [world.lea, world.karim], ids=["client", "technician"])
async def test_only_managers_import_and_stop(stage: Stage, who: Actor) -> None:
    begun = await asked(stage, many(1).encode())
    file = await stored(stage, many(1).encode())
    for command in (ImportArticles(file=file), CancelArticleImport(article_import_id=begun.id)):
        outcome = await stage.when(command, by=who)
        assert outcome.problem
        assert (outcome.problem.status, outcome.events) == (403, [])


async def test_an_admin_imports_too(stage: Stage) -> None:
    done = await imported(stage, many(2), by=world.alex)
    assert (done.status, done.by_id) == ("done", world.alex.id)


async def test_one_that_nobody_has_begun_is_stopped(stage: Stage) -> None:
    begun = await asked(stage, many(5).encode())
    stopped = await stage.when(CancelArticleImport(article_import_id=begun.id), by=world.marie)
    assert stopped.only(ArticleImportCancelled).state.status == "cancelled"
    assert (await over(stage, begun.id)).status == "cancelled"
    assert await catalogue(stage) == {}


@pytest.mark.parametrize(
    ("module", "name", "times", "there"),
    [(checking, "check_lines", 1, 0), (checking, "complete", 0, 0), (applying, "import_lines", 2, 6)],
    ids=["while it is checked", "when it is checked", "while it runs"],
)
async def test_it_is_stopped_between_two_batches_and_what_was_imported_stays(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, times: int, there: int
) -> None:
    begun = await asked(stage, many(10).encode())
    stopping: list[asyncio.Task[Any]] = []

    async def stop() -> None:
        command = CancelArticleImport(article_import_id=begun.id)
        stopping.append(asyncio.create_task(stage.when(command, by=world.alex)))
        await asyncio.sleep(0.05)  # it waits for the batch

    after(monkeypatch, module, name, times, stop)
    stopped = await over(stage, begun.id)
    [outcome] = await asyncio.gather(*stopping)
    assert outcome.problem is None
    assert stopped.status == "cancelled"
    # A batch that was under way, or began while they waited for it, is done.
    assert there <= len(await catalogue(stage)) == stopped.imported <= there + 3
    assert await left(stage) == 0
    again = await stage.when(CancelArticleImport(article_import_id=begun.id), by=world.marie)
    assert again.problem
    assert (again.problem.status, again.problem.code) == (409, "illegal_move")


async def test_one_that_is_over_is_not_stopped(stage: Stage) -> None:
    done = await imported(stage, many(1))
    outcome = await stage.when(CancelArticleImport(article_import_id=done.id), by=world.marie)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.code, outcome.problem.moves) == (409, "illegal_move", [])


async def test_there_is_no_such_import(stage: Stage) -> None:
    outcome = await stage.when(CancelArticleImport(article_import_id=UUID(int=7)), by=world.marie)
    assert outcome.problem
    assert (outcome.problem.status, outcome.problem.detail) == (
        404,
        f"There is no article import {UUID(int=7)}",
    )


async def test_imports_go_one_after_another_and_the_next_begins_by_itself(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await asked(stage, many(10, price="1,00").encode())
    second = await asked(stage, many(10, price="2,00").encode())
    seen: list[str] = []

    async def look() -> None:
        await stage.effects.worker.once()
        seen.append((await shown(stage, second.id)).status)

    after(monkeypatch, applying, "import_lines", 1, look)
    await stage.effects.worker.once(at_most=1)
    assert (await shown(stage, first.id)).status == "done"
    assert seen == ["queued"]
    done = await over(stage, second.id)
    assert (done.status, done.added, done.updated) == ("done", 0, 10)


async def test_one_that_is_stopped_lets_the_next_begin(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await asked(stage, many(5).encode()), await asked(stage, many(5).encode())

    stopping: list[asyncio.Task[Any]] = []

    async def stop() -> None:
        await stage.effects.worker.once()
        assert (await shown(stage, second.id)).status == "queued"
        command = CancelArticleImport(article_import_id=first.id)
        stopping.append(asyncio.create_task(stage.when(command, by=world.marie)))
        await asyncio.sleep(0.05)

    after(monkeypatch, checking, "complete", 0, stop)
    await stage.effects.worker.once(at_most=1)
    await asyncio.gather(*stopping)
    assert (await shown(stage, first.id)).status == "cancelled"
    assert (await over(stage, second.id)).status == "done"


async def test_a_dry_run_waits_for_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    await asked(stage, many(10).encode())
    dry = await asked(stage, many(10).encode(), dry_run=True)
    seen: list[str] = []

    async def look() -> None:
        await stage.effects.worker.once()
        seen.append((await shown(stage, dry.id)).status)

    after(monkeypatch, applying, "import_lines", 1, look)
    await stage.effects.worker.once(at_most=1)
    assert seen == ["done"]


async def test_an_article_that_somebody_adds_meanwhile_is_changed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def add() -> None:
        new = {
            "reference": "N-004",
            "name": "Autre",
            "brand": "Aqua",
            "family": "part",
            "description": "x",
            "price": 1,
        }
        assert not (await stage.when(AddArticle.model_validate(new), by=world.alex)).problem

    after(monkeypatch, applying, "import_lines", 1, add)
    done = await imported(stage, many(10))
    assert (done.status, done.added, done.updated) == ("done", 9, 1)
    assert (await catalogue(stage))["N-004"]["name"] == JOINT[2]


async def test_who_adds_the_same_article_in_the_same_moment_makes_the_batch_go_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_new, keep = article_commands.new_article, checking.keep_faults
    added: list[Any] = []

    def somebody_is_faster(*given: Any) -> Any:
        if not added:
            added.append(True)
            raise_later.set()
        return add_new(*given)

    raise_later = asyncio.Event()
    monkeypatch.setattr(applying, "new_article", somebody_is_faster)

    async def wait_for_them(*given: Any) -> None:
        if raise_later.is_set():
            raise_later.clear()
            new = {
                "reference": "N-001",
                "name": "Autre",
                "brand": "B",
                "family": "part",
                "description": "x",
                "price": 1,
            }
            assert not (await stage.when(AddArticle.model_validate(new), by=world.alex)).problem
        await keep(*given)

    monkeypatch.setattr(applying, "keep_faults", wait_for_them)
    begun = await asked(stage, many(5).encode())
    await stage.runs_effects()
    [waiting] = await stage.waiting()
    assert "TryLater" in (waiting.why or "")
    done = await over(stage, begun.id)
    assert (done.status, done.added, done.updated) == ("done", 4, 1)


async def test_an_article_that_is_retired_after_the_check_is_told_and_the_others_are_imported(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.given(article(), stock())

    async def retire() -> None:
        assert not (await stage.when(RetireArticle(article_id=BOILER), by=world.alex)).problem

    after(monkeypatch, applying, "import_lines", 0, retire)
    table = text((NAMES[:3:2], ("CH-24", "Autre")))
    done = await imported(stage, table)
    assert (done.status, done.imported, done.updated, done.wrong) == ("done", 1, 0, 1)
    assert await wrong_lines(stage, done) == [("2", "", "", "CH-24 is retired and cannot be changed")]
    assert (await catalogue(stage))["CH-24"]["name"] == "Chaudière 24"


async def test_people_and_imports_change_the_same_articles_without_harm(stage: Stage) -> None:
    """Nobody waits in a circle, nothing is lost: all changes of one article follow one another."""
    first = await imported(stage, many(30))
    assert first.added == 30
    found = await catalogue(stage)

    async def people(turn: int) -> None:
        for each in range(30):
            one = found[f"N-{(each * 7 + turn) % 30:03}"]["id"]
            for command in (
                ChangeArticle(article_id=one, minimum_stock=each),
                MoveStock(article_id=one, movement="receive", quantity=1),
            ):
                outcome = await stage.when(command, by=world.marie, seconds=20)
                assert outcome.problem is None, outcome.problem

    lines = (
        ("reference", "price", "stock minimum"),
        *((f"N-{each:03}", "9,00", str(each)) for each in range(30)),
    )
    begun = await asked(stage, text(lines).encode())
    await asyncio.gather(people(0), people(1), over(stage, begun.id))
    done = await shown(stage, begun.id)
    assert (done.status, done.updated, done.wrong) == ("done", 30, 0)
    after_all = await catalogue(stage)
    assert all(one["in_stock"] for one in after_all.values())
    assert {str(one["price"]) for one in after_all.values()} == {"9.00"}
    rows = await stage.database.pool.fetch(
        """SELECT a.version, count(*), max(l.sequence) FROM article a JOIN event_log l ON l.subject = a.id
        GROUP BY a.id, a.version"""
    )
    assert {(row["version"], row["version"]) for row in rows} == {(row["count"], row["max"]) for row in rows}
    levels = await stage.database.pool.fetch("SELECT level, minimum_stock, article_id FROM stock_level")
    minimum = {one["id"]: one["minimum_stock"] for one in after_all.values()}
    assert {(row["level"], row["minimum_stock"] - minimum[row["article_id"]]) for row in levels} == {(2, 0)}


async def test_an_import_that_is_asked_for_twice_with_one_key_is_one(stage: Stage) -> None:
    command = ImportArticles(file=await stored(stage, many(2).encode()))
    first = await stage.when(command, by=world.marie, key="k")
    again = await stage.when(command, by=world.marie, key="k")
    assert again.reply == first.reply
    assert len(await told(stage, "article_import")) == 1


async def test_what_people_typed_is_no_formula_in_the_report(stage: Stage) -> None:
    line = replaced(JOINT, price='=HYPERLINK("http://example.com")', gtin="@x")
    refused = await imported(stage, text((NAMES, line)))
    assert [value for _, _, value, _ in await wrong_lines(stage, refused)] == [
        "'@x", "'=HYPERLINK(\"http://example.com\")"
    ]  # fmt: skip
