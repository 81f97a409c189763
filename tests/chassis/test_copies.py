"""A service asks for the copies that it keeps by what they hold."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import toy
from toy_asking import OnStage

from sav_chassis.envelope import Context
from sav_chassis.tx import Tx, transaction
from sav_contracts.actor import SYSTEM

CONTEXT = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=UUID(int=7))
LEA, PAUL, KARIM = UUID(int=1), UUID(int=2), UUID(int=3)
FIRST, SECOND, THIRD = (UUID(int=number) for number in (101, 102, 103))


def kept(id: UUID, days: int, client: UUID, **fields: object) -> toy.BoxView:
    made = toy.NOW.replace(day=days)
    return toy.filled(101, 1).state.model_copy(
        update={"id": id, "created_at": made, "client_id": client, **fields}
    )


@pytest.fixture
async def tx(on_stage: OnStage) -> AsyncIterator[Tx]:
    """Of a service that has heard of three boxes, two of them Léa's, and of a lid."""
    stage = await on_stage(toy.usual())
    await stage.knows(
        kept(SECOND, 3, LEA, name="tools", technician_id=KARIM),
        kept(FIRST, 4, LEA, name="screws"),
        kept(THIRD, 5, PAUL, name="tools", filled=0),
        toy.lid(101),
    )
    async with transaction(stage.database, stage.settings, CONTEXT, lambda _: None) as tx:
        yield tx


async def found(tx: Tx, **wanted: object) -> list[UUID]:
    return [box.id for box in await tx.copies(toy.BoxView).where(**wanted).all()]


async def test_all_of_them_come_in_the_order_of_their_ids(tx: Tx) -> None:
    assert await found(tx) == [FIRST, SECOND, THIRD]


async def test_they_are_found_by_what_has_a_column_of_its_own(tx: Tx) -> None:
    assert await found(tx, client_id=LEA) == [FIRST, SECOND]
    assert await found(tx, client_id=[LEA, PAUL], technician_id=KARIM) == [SECOND]
    assert await found(tx, open=True, client_id=PAUL) == [THIRD]
    assert await found(tx, open=False) == []


async def test_they_are_found_by_any_other_field(tx: Tx) -> None:
    assert await found(tx, name="tools") == [SECOND, THIRD]
    assert await found(tx, name=["screws", "nails"]) == [FIRST]
    assert await found(tx, name="tools", filled=0) == [THIRD]


async def test_what_was_said_once_stays_as_it_is(tx: Tx) -> None:
    hers = tx.copies(toy.BoxView).where(client_id=LEA)
    assert [box.name for box in await hers.where(name="tools").all()] == ["tools"]
    assert len(await hers.all()) == 2


async def test_one_is_found_by_its_id_or_for_being_the_newest(tx: Tx) -> None:
    boxes, hers = tx.copies(toy.BoxView), tx.copies(toy.BoxView).where(client_id=LEA)
    assert [await boxes.one(THIRD)] == await boxes.where(id=THIRD).all()
    assert [await hers.newest()] == await boxes.where(id=FIRST).all()
    assert await hers.one(THIRD) is None
    assert await hers.where(name="nails").newest() is None


@pytest.mark.parametrize(
    "wrong", [{"nmae": "tools"}, {"doc": "{}"}, {"kind": "lid"}, {"technician_id": None}]
)
async def test_what_no_record_has_is_refused(tx: Tx, wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=f"nobody can be asked for a box with {next(iter(wrong))}="):
        tx.copies(toy.BoxView).where(**wrong)
