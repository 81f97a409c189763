"""Whose hint a change is, and what follows from it for what is seen through the record alone."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import world
from given_views import a, announced, new_read_model

from sav_chassis.errors import NotFound
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountView
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.claims.photo import PhotoView
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.messages import View
from sav_contracts.notifier import NotificationView
from sav_contracts.surface import SURFACE, RecordRow
from sav_edge.changes import Changes
from sav_edge.projection import apply
from sav_edge.read_model import ReadModel

ONE = {row.message: row for row in SURFACE if isinstance(row, RecordRow)}
karim, sofia, marie, alex = world.karim, world.sofia, world.marie, world.alex


@pytest.fixture(scope="module")
async def pool(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    apart = settings.model_copy(update={"database_prefix": "hints"})
    await new_read_model(apart)
    async with asyncpg.create_pool(apart.database("edge"), min_size=1, max_size=2) as pool:
        yield pool


@pytest.fixture
async def changes(pool: asyncpg.Pool) -> Changes:
    """What changes from now on."""
    changes = Changes(pool)
    await changes.begin()
    return changes


async def told(changes: Changes, view: View) -> set[UUID | Role]:
    """Who has a hint of this record: persons, and roles that all see it."""
    return {one.person or one.role for one in await changes.fresh() if one.id == view.id}


async def gets(pool: asyncpg.Pool, who: Actor, view: View) -> bool:
    try:
        return bool(await ReadModel(pool).one(ONE[type(view)], {f"{view.kind()}_id": view.id}, who))
    except NotFound:
        return False


def later(view: Any, **fields: Any) -> Any:
    return view.model_copy(update={"version": view.version + 1} | fields)


async def test_the_hint_of_a_reclamation_stands_for_what_it_names(
    pool: asyncpg.Pool, changes: Changes
) -> None:
    """To those who see it now and to those who saw it before: both know what to GET again."""
    lea = Actor(id=uuid4(), role=Role.CLIENT)
    product, profile = a(ProductView, client_id=lea.id), a(ClientView, lea.id, client_id=lea.id)
    claim = a(ReclamationView, client_id=lea.id, technician_id=None, product_id=product.id)
    await apply(pool, [announced(view) for view in (product, profile, claim)])
    named = (product, profile)
    await changes.fresh()

    for technician, before in ((karim, None), (sofia, karim)):
        claim = later(claim, technician_id=technician.id)
        await apply(pool, [announced(claim)])
        heard = await told(changes, claim)
        concerned = {lea.id, technician.id} | ({before.id} if before else set())
        assert heard == concerned | {Role.MANAGER, Role.ADMIN}
        assert [await gets(pool, technician, view) for view in (claim, *named)] == [True] * 3
        if before:
            assert [await gets(pool, before, view) for view in (claim, *named)] == [False] * 3


async def test_what_is_seen_through_a_record_has_no_hint_when_it_comes_into_sight(
    pool: asyncpg.Pool, changes: Changes
) -> None:
    claim = a(ReclamationView, technician_id=None)
    await apply(pool, [announced(claim)])
    photo = a(PhotoView, reclamation_id=claim.id)
    await apply(pool, [announced(photo)])
    assert karim.id not in await told(changes, photo)
    await apply(pool, [announced(later(claim, technician_id=karim.id))])
    assert {one.kind for one in await changes.fresh() if one.person == karim.id} == {"reclamation"}


@pytest.mark.parametrize("role", [Role.CLIENT, Role.TECHNICIAN, Role.MANAGER, Role.ADMIN])
async def test_managers_have_hints_of_the_accounts_that_they_look_after(
    role: Role, pool: asyncpg.Pool, changes: Changes
) -> None:
    person = uuid4()
    account = a(AccountView, person, user_id=person, role=role)
    await apply(pool, [announced(account)])
    place = changes.floor
    heard = await told(changes, account)
    assert place is not None
    looked_after = role in (Role.CLIENT, Role.TECHNICIAN)
    assert (Role.MANAGER in heard, Role.ADMIN in heard) == (looked_after, True)
    for who, hears in ((marie, looked_after), (alex, True)):
        missed = await changes.missed(place, who, 10) or []
        assert (account.id in [one["id"] for one in missed]) is hears


@pytest.mark.parametrize("category", ["account", "alert"])
async def test_managers_have_no_hints_of_what_others_are_told_about_their_accounts(
    category: str, pool: asyncpg.Pool, changes: Changes
) -> None:
    message = a(NotificationView, user_id=alex.id, category=category)
    hers = a(NotificationView, user_id=marie.id, category=category)
    await apply(pool, [announced(message), announced(hers)])
    place = changes.floor
    heard = await changes.fresh()
    assert place is not None
    shared = category == "alert"
    for one, role, person, hears in (
        (message, Role.MANAGER, None, shared),
        (message, Role.MANAGER, marie.id, False),
        (message, Role.ADMIN, None, True),
        (hers, Role.MANAGER, None, shared),
        (hers, Role.MANAGER, marie.id, True),
    ):
        assert ((one.id, role, person) in [(c.id, c.role, c.person) for c in heard]) is hears
    for who, reads in (
        (marie, {hers.id} | ({message.id} if shared else set())),
        (alex, {hers.id, message.id}),
    ):
        missed = await changes.missed(place, who, 10) or []
        assert {one["id"] for one in missed} == reads
        assert {one.id for one in (message, hers) if await gets(pool, who, one)} == reads
