"""The projector: whatever the order and however often, the highest version of each record is what stands there."""

from typing import Any
from uuid import UUID

import pytest
import toy
from given_views import a
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toy_asking import rows

from sav_chassis.testing import Stage, enveloped
from sav_chassis.views import COLUMNS, project, show
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.reclamation import ReclamationView

VIEW = f"SELECT {', '.join(name if kind != 'json' else f'{name}::text' for name, kind in COLUMNS)} FROM view"
# Of four boxes, versions 1 to 5 each.
NEWS = [toy.filled(number, version) for number in range(100, 104) for version in range(1, 6)]


@st.composite
def tellings(draw: st.DrawFn) -> list[list[int]]:
    """Every piece of news at least once, in any order, some again, in batches of any size."""
    order = draw(st.permutations(range(len(NEWS))))
    again = draw(st.lists(st.integers(0, len(NEWS) - 1), max_size=10))
    told, batches = [*order, *again], []
    while told:
        size = draw(st.integers(1, 10))
        batches.append(told[:size])
        told = told[size:]
    return batches


@given(batches=tellings())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_repetition_gives_the_same_rows(stage: Stage, batches: list[list[int]]) -> None:
    await stage.database.pool.execute("TRUNCATE view")
    for batch in batches:
        await project(stage.database.pool, [(enveloped(NEWS[n]), NEWS[n]) for n in batch])
    told = await rows(stage, f"{VIEW} ORDER BY id")

    await stage.database.pool.execute("TRUNCATE view")
    await show(stage.database.pool, [news.state for news in NEWS if news.state.version == 5])
    assert told == await rows(stage, f"{VIEW} ORDER BY id")


async def test_a_row_holds_what_is_asked_for_and_both_forms(stage: Stage) -> None:
    state = toy.filled(100, 2).state
    await show(stage.database.pool, [state])
    [row] = await rows(stage, VIEW)
    told: dict[str, Any] = dict(zip([name for name, _ in COLUMNS], row, strict=True))
    assert (told["kind"], told["id"], told["version"], told["client_id"], told["technician_id"]) == (
        "box", UUID(int=100), 2, UUID(int=1), None
    )  # fmt: skip
    assert (told["open"], told["created_at"], told["updated_at"]) == (True, toy.NOW, toy.NOW)
    assert told["doc"] == state.model_dump_json()
    assert told["doc_client"] == state.for_client().model_dump_json()


@pytest.mark.parametrize("older", [1, 2])
async def test_an_older_or_equal_version_changes_nothing(stage: Stage, older: int) -> None:
    await show(stage.database.pool, [toy.lid(500, 2, "blue")])
    await show(stage.database.pool, [toy.lid(500, older, "red")])
    assert await rows(stage, "SELECT doc->>'colour' FROM view") == [("blue",)]


async def test_nothing_to_show_is_fine(stage: Stage) -> None:
    await show(stage.database.pool, [])
    assert await rows(stage, "SELECT id FROM view") == []


async def test_records_of_two_kinds_with_one_id_are_two_rows(stage: Stage) -> None:
    await show(stage.database.pool, [toy.lid(100), toy.filled(100, 1).state])
    assert await rows(stage, "SELECT kind FROM view ORDER BY kind") == [("box",), ("lid",)]


async def test_a_row_names_the_product_that_a_record_is_about(stage: Stage) -> None:
    product_id = UUID(int=300)
    claim = a(ReclamationView, product_id=product_id)
    await show(stage.database.pool, [claim, a(ReclamationView), a(ProductView, id=product_id)])
    named = await rows(stage, "SELECT id, product_id FROM view WHERE product_id IS NOT NULL")
    assert named == [(claim.id, product_id)]
    changed = claim.model_copy(update={"version": 2, "product_id": None})
    await show(stage.database.pool, [changed])
    assert await rows(stage, "SELECT id FROM view WHERE product_id IS NOT NULL") == []
