"""Importing articles: what a line does, what is refused, progress, and what is cut off."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from given_catalog import article, stock
from given_tables import (
    BOILER,
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
    text,
    told,
    wrong_lines,
)

from sav_catalog import effects
from sav_catalog.imports import applying, checking, report
from sav_catalog.model import stock_id
from sav_chassis.files import Files
from sav_chassis.testing import Stage
from sav_contracts.catalog.article import ArticleAdded
from sav_contracts.catalog.article_import import ArticleImportRefused
from sav_contracts.catalog.stock import StockLevelChanged, StockLow


class Died(Exception):
    pass


async def test_a_dry_run_counts_and_changes_nothing(stage: Stage) -> None:
    await imported(stage, text((NAMES, JOINT)))
    before = await catalogue(stage)
    table = text(
        (NAMES, replaced(JOINT, price="0,40"), BOILER, replaced(BOILER, reference="B-2", price="viel"))
    )
    dry = await imported(stage, table, dry_run=True)
    assert (dry.status, dry.lines, dry.checked, dry.imported) == ("done", 3, 3, 0)
    assert (dry.added, dry.updated, dry.unchanged, dry.wrong) == (1, 1, 0, 1)
    assert await wrong_lines(stage, dry) == [("4", "prix HT", "viel", "a number is expected")]
    assert await catalogue(stage) == before
    assert [type(event) for event in await told(stage, "article")] == [ArticleAdded]

    real = await imported(stage, text((NAMES, replaced(JOINT, price="0,40"), BOILER)))
    assert (real.added, real.updated, real.unchanged, real.wrong) == (1, 1, 0, 0)


async def test_one_wrong_line_and_nothing_is_imported(stage: Stage) -> None:
    refused = await imported(stage, text((NAMES, BOILER, replaced(JOINT, price=""))))
    assert (refused.status, refused.imported, refused.wrong) == ("refused", 0, 1)
    assert await wrong_lines(stage, refused) == [("3", "prix HT", "", "this field is required")]
    assert await catalogue(stage) == {}
    assert await left(stage) == 0
    [*_, last] = await told(stage, "article_import")
    assert isinstance(last, ArticleImportRefused)


# What stands in a line, where, and why it is refused.
WRONG: Mapping[str, tuple[tuple[str, ...], str, str, str]] = {
    "no reference": (replaced(JOINT, reference=" "), "référence", " ", "it cannot be empty"),
    "a reference of two lines": (
        replaced(JOINT, reference="A\nB"), "référence", "A\nB",
        "one line of text: it holds a line break, a tab or another control character",
    ),
    "a bar code that was shortened": (
        replaced(JOINT, gtin="6,29104E+12"), "code-barres", "6,29104E+12",
        "the spreadsheet has shortened this number: make the column a text column, and write it out",
    ),
    "a bar code with a wrong digit": (
        replaced(JOINT, gtin="6291041500214"), "code-barres", "6291041500214",
        "the last digit does not match the others: a digit is wrong or swapped",
    ),
    "a price with three places": (
        replaced(JOINT, price="1,234"), "prix HT", "1,234", "at most 2 decimal places are expected"
    ),
    "a price of thousands, or with three places": (
        replaced(JOINT, price="1,500"), "prix HT", "1,500", "at most 2 decimal places are expected"
    ),
    "the same with a sign of its currency": (
        replaced(JOINT, price="2.500 €"), "prix HT", "2.500 €", "at most 2 decimal places are expected"
    ),
    "a price below nothing": (replaced(JOINT, price="-1"), "prix HT", "'-1", "at least 0 is expected"),
    "a price in dollars": (replaced(JOINT, price="$ 5"), "prix HT", "$ 5", "a number is expected"),
    "an error in place of a price": (replaced(JOINT, price="#N/A"), "prix HT", "#N/A", "a number is expected"),
    "another family": (
        replaced(JOINT, family="jardin"), "famille", "jardin", "one of sanitary, heating, part"
    ),
    "a day that does not exist": (
        replaced(JOINT, spare_parts_until="31/02/2036"), "pièces disponibles jusqu’au", "31/02/2036",
        "a day from 1900 to 2200, such as 2026-03-02",
    ),
    "a day with two digits of its year": (
        replaced(JOINT, spare_parts_until="31/12/36"), "pièces disponibles jusqu’au", "31/12/36",
        "a day from 1900 to 2200, such as 2026-03-02",
    ),
    "a part that is nowhere": (
        replaced(JOINT, compatible_parts="J-2, J-3"), "pièces compatibles", "J-2, J-3",
        "there is no article J-2, J-3",
    ),
    "a name that is too long": (
        replaced(JOINT, name="x" * 201), "désignation", "x" * 200, "at most 200 characters are expected"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("line", "name", "value", "reason"), WRONG.values(), ids=WRONG)
async def test_a_wrong_line_is_told_with_its_reason(
    stage: Stage, line: tuple[str, ...], name: str, value: str, reason: str
) -> None:
    refused = await imported(
        stage, text((NAMES, BOILER, JOINT, (), replaced(line, reference=line[0].replace("J-1", "J-9"))))
    )
    assert refused.status == "refused"
    assert await wrong_lines(stage, refused) == [("5", name, value, reason)]


async def test_three_digits_after_the_only_separator_are_thousandths_of_a_dinar_alone(stage: Stage) -> None:
    await stage.given(article(), stock())
    two = "at most 2 decimal places are expected"
    names = ("reference", "prix HT", "puissance")
    refused = await imported(stage, text((names, ("CH-24", "1,290", "24.000"))))
    assert await wrong_lines(stage, refused) == [
        ("2", "puissance (kW)", "24.000", two), ("2", "prix HT", "1,290", two)
    ]  # fmt: skip
    dinars = replaced(JOINT, price="12,340")
    await imported(stage, text(((*NAMES, "devise"), (*dinars, "DT"))))
    assert (await catalogue(stage))["J-1"]["price"] == Decimal("12.340")


async def test_every_fault_of_a_line_is_told(stage: Stage) -> None:
    line = replaced(JOINT, gtin="1", name="", price="x", family="y", vat_class="20 %")
    refused = await imported(stage, text((NAMES, line)))
    found = await wrong_lines(stage, refused)
    assert [name for _, name, *_ in found] == ["code-barres", "désignation", "famille", "prix HT", "TVA"]
    assert refused.wrong == 1


async def test_a_line_is_told_in_both_languages(stage: Stage) -> None:
    refused = await imported(stage, text((NAMES, replaced(JOINT, family="y"))))
    assert refused.report
    content = (await Files(stage.settings.files_url).get(refused.report)).decode("utf-8-sig")
    assert "l’une de ces valeurs\u00a0: sanitaire, chauffage, pièce;" in content
    assert "one of sanitary, heating, part" in content


async def test_a_reference_is_there_once_however_it_is_written(stage: Stage) -> None:
    refused = await imported(stage, text((NAMES, JOINT, replaced(JOINT, reference="ｊ-1 "))))
    assert await wrong_lines(stage, refused) == [
        ("3", "référence", "ｊ-1 ", "line 2 has this reference already")
    ]


async def test_columns_that_are_unknown_twice_or_missing_are_named(stage: Stage) -> None:
    table = text((("Référence", "Réf.", "Couleur"), ("J-1", "J-1", "rouge")))
    found = await wrong_lines(stage, await imported(stage, table))
    assert [(line, name, reason.partition(";")[0]) for line, name, _, reason in found] == [
        ("1", "Réf.", "the column “Référence” says this already"),
        ("1", "Couleur", "there is no such column"),
    ]
    [missing] = await wrong_lines(stage, await imported(stage, text((("Prix HT",), ("1,00",)))))
    assert missing == ("1", "", "", "the column reference is missing")


async def test_what_is_missing_for_a_new_article_is_named_line_by_line(stage: Stage) -> None:
    refused = await imported(stage, text((("Référence", "Prix HT"), ("J-1", "1,00"))))
    found = await wrong_lines(stage, refused)
    assert [(line, name) for line, name, *_ in found] == [
        ("2", "désignation"), ("2", "marque"), ("2", "famille"), ("2", "description")
    ]  # fmt: skip


async def test_a_price_list_changes_prices_only(stage: Stage) -> None:
    await imported(stage, text())
    before = await catalogue(stage)
    done = await imported(stage, text((("Référence", "Prix HT"), ("lum-24-c", "1 999,00"), ("J-1", "0,35"))))
    assert (done.added, done.updated, done.unchanged) == (0, 1, 1)
    after = await catalogue(stage)
    assert after["LUM-24-C"]["price"] == Decimal("1999.00")
    kept = {"price", "version", "updated_at"}
    assert {name: value for name, value in after["LUM-24-C"].items() if name not in kept} == {
        name: value for name, value in before["LUM-24-C"].items() if name not in kept
    }
    assert after["J-1"] == before["J-1"]


async def test_an_empty_cell_takes_away_what_may_be_absent_and_leaves_the_rest(stage: Stage) -> None:
    await stage.given(
        article(model="C24", spare_parts_until=date(2036, 1, 1), gtin="06291041500213"), stock()
    )
    names = ("reference", "name", "model", "spare_parts_until", "gtin", "price")
    done = await imported(stage, text((names, ("CH-24", "", "", "", "", ""))))
    assert (done.updated, done.wrong) == (1, 0)
    after = (await catalogue(stage))["CH-24"]
    assert (after["model"], after["spare_parts_until"], after["gtin"]) == (None, None, None)
    assert (after["name"], after["price"]) == ("Chaudière 24", Decimal("1290.00"))


async def test_what_an_article_is_made_of_cannot_change(stage: Stage) -> None:
    await stage.given(article(), stock())
    refused = await imported(stage, text((("reference", "family", "devise"), ("CH-24", "pièce", "TND"))))
    assert await wrong_lines(stage, refused) == [
        ("2", "famille", "pièce", "it is “chauffage” and cannot be changed"),
        ("2", "devise", "TND", "it is “EUR” and cannot be changed"),
    ]


async def test_a_minimum_reaches_the_stock_level_and_says_that_it_is_low(stage: Stage) -> None:
    await stage.given(article(), stock(level=3))
    await imported(stage, text((("reference", "stock minimum"), ("CH-24", "4"))))
    levels = await told(stage, "stock_level")
    assert [type(event) for event in levels] == [StockLevelChanged, StockLow]
    assert (levels[0].state.level, levels[0].state.minimum_stock) == (3, 4)


async def test_a_retired_article_is_neither_changed_nor_brought_back(stage: Stage) -> None:
    await stage.given(article(status="retired"), stock())
    same = await imported(stage, text((("reference", "name", "status"), ("CH-24", "Chaudière 24", "retiré"))))
    assert (same.status, same.unchanged) == ("done", 1)
    for changed in (("CH-24", "Autre", "retiré"), ("CH-24", "Chaudière 24", "actif")):
        refused = await imported(stage, text((("reference", "name", "status"), changed)))
        assert await wrong_lines(stage, refused) == [("2", "", "", "CH-24 is retired and cannot be changed")]
    assert await told(stage, "article") == []


async def test_an_import_retires_nothing(stage: Stage) -> None:
    await stage.given(article(), stock())
    lines = (("CH-24", "retiré"), ("J-1", "retiré"))
    for line in lines:
        refused = await imported(
            stage, text(((*NAMES, "statut"), (*replaced(JOINT, reference=line[0]), line[1])))
        )
        faults = [reason for _, name, _, reason in await wrong_lines(stage, refused) if name == "statut"]
        assert faults in ([], ["an import retires no article, and adds none that is retired"])
        assert refused.status == "refused"
    assert (await catalogue(stage))["CH-24"]["status"] == "active"


async def test_the_end_of_a_life_is_imported_for_new_and_known_articles(stage: Stage) -> None:
    table = text(((*NAMES, "statut"), (*JOINT, "en fin de vie")))
    assert (await imported(stage, table)).added == 1
    [added] = await told(stage, "article")
    assert (type(added), added.state.status) == (ArticleAdded, "end_of_life")
    assert (await imported(stage, text((("réf", "statut"), ("J-1", "actif"))))).updated == 1
    assert (await catalogue(stage))["J-1"]["status"] == "active"


async def test_an_article_is_no_part_of_itself(stage: Stage) -> None:
    """Neither a new one nor one that the catalogue has, in whatever spelling."""
    itself = text((NAMES, replaced(JOINT, compatible_parts="ｊ-1")))
    for given in (itself, text((NAMES, JOINT)), itself):
        last = await imported(stage, given)
        assert (last.status, last.wrong) == (("refused", 1) if given is itself else ("done", 0))


async def test_parts_may_come_later_in_the_file_even_in_a_circle(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "BATCH", 1)
    table = text(
        (
            NAMES,
            replaced(BOILER, reference="A", compatible_parts="B | C"),
            replaced(BOILER, reference="B", compatible_parts="A;C"),
            replaced(BOILER, reference="C", compatible_parts="B\nA"),
        )
    )
    done = await imported(stage, table)
    assert (done.status, done.imported, done.added, done.updated) == ("done", 3, 3, 0)
    found = await catalogue(stage)
    named = {
        one: [other for id in found[one]["compatible_parts"] for other in found if found[other]["id"] == id]
        for one in found
    }
    assert named == {"A": ["B", "C"], "B": ["A", "C"], "C": ["B", "A"]}
    assert (await imported(stage, table)).unchanged == 3


async def test_an_article_has_its_stock_level_and_its_two_events_as_one_that_is_added(stage: Stage) -> None:
    await imported(stage, text((NAMES, JOINT)))
    [added], [level] = await told(stage, "article"), await told(stage, "stock_level")
    assert (type(added), type(level)) == (ArticleAdded, StockLevelChanged)
    assert (level.state.article_id, level.state.level) == (added.state.id, 0)
    assert (added.state.version, level.state.version) == (1, 1)
    [row] = await stage.database.pool.fetch("SELECT * FROM stock_level")
    assert (row["id"], row["reference"], row["version"]) == (stock_id(added.state.id), "J-1", 1)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BATCH", 3)
    monkeypatch.setattr(effects, "CHECKED_AT_ONCE", 3)


async def test_progress_is_told_batch_by_batch(stage: Stage, small_batches: None) -> None:
    done = await imported(stage, many(10))
    states = [event.state for event in await told(stage, "article_import")]
    assert [(state.checked, state.imported) for state in states if state.status in ("checking", "running")] == [
        (0, 0), (3, 0), (6, 0), (9, 0), (10, 0), (10, 0), (10, 0), (10, 3), (10, 6), (10, 9), (10, 10)
    ]  # fmt: skip
    assert {state.lines for state in states[2:]} == {10}
    assert (done.status, done.imported) == ("done", 10)


@pytest.mark.parametrize("batch", range(1, 12))
async def test_cut_off_after_any_batch_it_goes_on_behind_it(
    stage: Stage, small_batches: None, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """The process dies in a batch: what it had not committed is not there, and the next run does it once."""
    begun = await asked(stage, many(10).encode())
    left_until_death = batch

    def dying(module: ModuleType, name: str) -> None:
        work = getattr(module, name)

        async def work_and_die(*given: Any) -> Any:
            nonlocal left_until_death
            done = await work(*given)
            left_until_death -= 1
            if left_until_death == 0:
                raise Died
            return done

        monkeypatch.setattr(module, name, work_and_die)

    dying(checking, "check_lines")
    dying(checking, "complete")
    dying(applying, "import_lines")
    await stage.runs_effects()
    [waiting] = await stage.waiting()
    assert (waiting.why or "").endswith("Died")
    done = await over(stage, begun.id)
    assert (done.status, done.added, done.updated, done.unchanged) == ("done", 10, 0, 0)
    assert (done.checked, done.imported) == (10, 10)
    assert len(await told(stage, "article")) == len(await told(stage, "stock_level")) == 10
    assert await left(stage) == 0


async def test_a_run_that_takes_long_asks_for_the_next_one(
    stage: Stage, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects, "RUN", 0.0)
    begun = await asked(stage, many(10).encode())
    runs = 0
    while await stage.waiting():
        await stage.runs_effects()
        runs += 1
        assert runs < 30
    done = await shown(stage, begun.id)
    assert (done.status, done.added) == ("done", 10)
    assert runs > 6


async def test_a_report_that_is_too_long_says_how_much_more_there_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "MAX_FILE_BYTES", 10_200)
    refused = await imported(stage, many(100, price="x"))
    found = await wrong_lines(stage, refused)
    assert refused.wrong == 100
    assert 0 < len(found) < 100
    assert found[-1] == ("", "", "", f"… and {100 - len(found) + 1} more")
