"""Filters that managers keep: only what a list has, under names of their own."""

import asyncio
from typing import Any

import pytest
import world

from sav_chassis.testing import Outcome, Stage
from sav_claims import list_choices
from sav_claims.list_choices import choices
from sav_contracts.claims.saved_filter import FilterRemoved, FilterSaved, RemoveFilter, SaveFilter
from sav_contracts.surface import SURFACE, ListRow
from sav_edge import list_query

LISTS = [row for row in SURFACE if isinstance(row, ListRow)]


def saving(name: str = "Urgences", list: str = "/reclamations", **fields: Any) -> SaveFilter:
    usual = {"name": name, "list": list, "query": "status=submitted&priority=critical&priority=high"}
    return SaveFilter.model_validate(usual | fields)


def refused(outcome: Outcome) -> tuple[int, str, list[tuple[str, str]]]:
    assert outcome.problem, outcome.reply
    assert outcome.events == []
    wrong = [(error.field, error.message) for error in outcome.problem.errors or []]
    return outcome.problem.status, outcome.problem.code, wrong


@pytest.mark.parametrize("who", [world.marie, world.alex], ids=["manager", "admin"])
async def test_a_filter_is_kept_replaced_and_removed(stage: Stage, who: Any) -> None:
    first = (await stage.when(saving(), by=who)).only(FilterSaved).state
    assert (first.user_id, first.name, first.list) == (who.id, "Urgences", "/reclamations")
    assert first.query == "status=submitted&priority=critical&priority=high"
    assert (await stage.when(saving(), by=who)).events == [], "the same again"

    second = (await stage.when(saving("URGENCES", query="sort=-reference"), by=who)).only(FilterSaved).state
    assert (second.id, second.name, second.query) == (first.id, "URGENCES", "sort=-reference")

    gone = (await stage.when(RemoveFilter(saved_filter_id=first.id), by=who)).only(FilterRemoved).state
    assert gone.user_id is None
    again = await stage.when(RemoveFilter(saved_filter_id=first.id), by=who)
    assert refused(again)[:2] == (404, "not_found")
    anew = (await stage.when(saving(), by=who)).only(FilterSaved).state
    assert anew.id != first.id


async def test_names_are_each_persons_own(stage: Stage) -> None:
    hers = (await stage.when(saving(), by=world.marie)).only(FilterSaved).state
    theirs = (await stage.when(saving(), by=world.alex)).only(FilterSaved).state
    assert hers.id != theirs.id
    stolen = await stage.when(RemoveFilter(saved_filter_id=hers.id), by=world.alex)
    assert refused(stolen)[:2] == (404, "not_found")


@pytest.mark.parametrize("who", [world.lea, world.karim])
async def test_clients_and_technicians_keep_none(stage: Stage, who: Any) -> None:
    assert refused(await stage.when(saving(), by=who))[:2] == (403, "not_allowed")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("colour=red", "colour: the list has no such parameter"),
        ("limit=5", "limit: the list has no such parameter"),
        ("after=x", "after: the list has no such parameter"),
        ("status=broken", "status: "),
        ("client_id=7", "client_id: "),
        ("sort=description", "sort: one of created_at"),
        ("created_from=yesterday", "created_from: "),
        ("from=2026-01-01T00:00:00Z", "from: the list has no such parameter"),
        ("q=" + "x" * 201, "q: at most 200"),
        ("q=a%00b", "q: no NUL"),
        ("sort=reference&sort=reference", "sort: given more than once"),
        (
            "created_to=2026-01-01T00:00:00Z&created_to=2026-01-02T00:00:00Z",
            "created_to: given more than once",
        ),
        ("status", "status: "),
        (
            "created_from=2026-01-02T00:00:00Z&created_to=2026-01-01T00:00:00Z",
            "created_to: it is before `created_from`",
        ),
    ],
)
async def test_what_the_list_does_not_have_is_refused_by_name(stage: Stage, query: str, says: str) -> None:
    status, code, [(field, message)] = refused(await stage.when(saving(query=query), by=world.marie))
    assert (status, code, field) == (422, "invalid", "query")
    assert message.startswith(says)


async def test_everything_that_is_wrong_is_named(stage: Stage) -> None:
    _, _, wrong = refused(await stage.when(saving(query="colour=red&status=broken"), by=world.marie))
    assert [message.split(":")[0] for _, message in wrong] == ["colour", "status"]


@pytest.mark.parametrize("list", ["/nowhere", "/reclamations/", "/auth/login", "reclamations"])
async def test_a_list_that_is_not_there_is_refused(stage: Stage, list: str) -> None:
    _, _, [(field, message)] = refused(await stage.when(saving(list=list), by=world.marie))
    assert field == "list"
    assert "/reclamations" in message


async def test_a_manager_keeps_none_of_a_list_for_admins(stage: Stage) -> None:
    assert (await stage.when(saving(list="/policies", query=""), by=world.alex)).problem is None
    assert refused(await stage.when(saving(list="/policies", query=""), by=world.marie))[0] == 422


async def test_fifty_are_the_most_also_at_once(stage: Stage) -> None:
    for n in range(48):
        await stage.when(saving(f"filtre {n}"), by=world.marie)
    outcomes = await asyncio.gather(*(stage.when(saving(f"encore {n}"), by=world.marie) for n in range(4)))
    codes = [one.problem.code if one.problem else "" for one in outcomes]
    assert sorted(codes) == ["", "", "too_many_filters", "too_many_filters"]
    assert (await stage.when(saving("Filtre 0", query="sort=reference"), by=world.marie)).problem is None
    assert (await stage.when(saving(), by=world.alex)).problem is None


async def test_of_one_name_that_is_saved_twice_at_once_one_is_kept(stage: Stage) -> None:
    outcomes = await asyncio.gather(
        *(stage.when(saving(name), by=world.marie) for name in ("été", "ÉTÉ", "Été"))
    )
    assert len({one.reply["id"] for one in outcomes}) == 1


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.path)
def test_a_filter_chooses_by_what_the_edge_reads(row: ListRow) -> None:
    assert set(choices(row)) == set(list_query.parameters(row)) - {"limit", "after"}
    assert list_choices.LONGEST_SEARCH == list_query.MAX_SEARCH
