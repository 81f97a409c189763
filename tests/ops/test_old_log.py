"""Logs with values and types that nothing writes any more: they are read as they are, heard again and shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import aio_pika
import pytest
from eventually import eventually
from given_calendar import appointment
from given_catalog import HOME, article, product
from stories import done, ids, opened, types
from system import System
from uuid_utils.compat import uuid7

from sav_auth.model import Account
from sav_chassis.database import Database
from sav_chassis.envelope import Context
from sav_chassis.tx import Tx, transaction
from sav_contracts.actor import SYSTEM, Role
from sav_contracts.auth.account import ClientAdded, UserUpdated
from sav_contracts.calendar.appointment import AppointmentKept
from sav_contracts.catalog.article import ArticleAdded
from sav_contracts.catalog.product import ProductRegistered
from sav_contracts.message_types import EVENTS
from sav_contracts.messages import Event
from sav_ops.replay import heal
from sav_ops.replay.rebuild import rebuild
from sav_ops.verify.verification import verify

# As each of them could be recorded.
EARLIER, EMAIL, PHONES = "max@ſtraße.example", "max@straße.example", ("+33 6 12 34 56 78", "+999999999")
NAME, STREET, POSTCODE = "Max\u200b \u202eMustermann", "1\u00a0rue\u200b Haute", "75 002"
REFERENCE, GTIN, SERIAL = "ch\u20111 ａ", "73513537", "sn\u200b\u00a042"
PLACE = HOME.model_copy(update={"address": STREET, "postcode": POSTCODE, "access_notes": "code\u200b 12"})
OUTBOX = "SELECT FROM outbox LIMIT 1"
COPIES = "SELECT id, version, doc->>'status' AS status FROM view WHERE id = ANY($1)"
SUPERSEDED = [event for event in EVENTS.values() if event.superseded_by]


@asynccontextmanager
async def recording(system: System, room: str) -> AsyncIterator[Tx]:
    """A transaction of a room that takes any value, as its commands once did."""
    database = Database(system.settings, room)
    await database.open(pool_size=1)
    context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
    try:
        async with transaction(database, system.settings, context, lambda _: None) as tx:
            yield tx
    finally:
        await database.close()


async def published(system: System, room: str) -> bool:
    return not await system.sql(room, OUTBOX)


@pytest.fixture
async def recorded(system: System) -> dict[str, UUID]:
    """A client and a boiler, of whom claims never heard."""
    client, boiler, installed = uuid7(), uuid7(), uuid7()
    await system.stop("claims")
    async with recording(system, "auth") as tx:
        fields = {"locale": "fr", "status": "active", "password_hash": None, "phone": PHONES[0]}
        account = tx.add(Account(id=client, name=NAME, role=Role.CLIENT, email=EARLIER, **fields))
        tx.emit(account, ClientAdded(phones=PHONES, addresses=(PLACE,)))
    async with recording(system, "auth") as tx:
        account = await tx.load(Account, client, SYSTEM)
        account.email = EMAIL
        tx.emit(account, UserUpdated(previous_email=EARLIER))
    async with recording(system, "catalog") as tx:
        tx.emit(tx.add(article(id=boiler, reference=REFERENCE, gtin=GTIN)), ArticleAdded())
        await tx.flush()
        registered = product(id=installed, client_id=client, article_id=boiler, serial=SERIAL, place=PLACE)
        tx.emit(tx.add(registered), ProductRegistered())
    for owner in ("auth", "catalog"):
        await eventually(partial(published, system, owner), 20)
    async with await aio_pika.connect(system.settings.broker_url) as connection:
        channel = await connection.channel()
        for queue in ("claims.events", "claims.views"):
            await (await channel.get_queue(queue)).purge()
    await system.start("claims")
    return {"client": client, "boiler": boiler, "installed": installed}


async def test_a_log_with_old_values_is_healed_and_rebuilt(system: System, recorded: dict[str, UUID]) -> None:
    manager = await system.manager()
    healed = await heal.heal(system.settings, "claims", patience=20, on_its_way=0.2)
    assert healed.reactions
    assert healed.reactions.sent >= 2
    assert (healed.reactions.parked, healed.reactions.waiting) == (0, 0)
    # What claims keeps of its own has the form of today.
    profile = done(await manager.get(f"/clients/{recorded['client']}"))
    assert (profile["email"], profile["phones"]) == (
        "max@xn--strae-oqa.example",
        ["+33612345678", "+999999999"],
    )
    assert await verify(system.settings, 20) == []

    await rebuild(system.settings, "edge", patience=1)
    for room in ("edge", "claims", "interventions", "notifier"):
        assert (await rebuild(system.settings, room, swap=False, patience=1)).differences == []
    assert await verify(system.settings, 20) == []
    # What was recorded is shown as it was.
    admin = await system.staff(Role.ADMIN)
    shown = done(await admin.get(f"/users/{recorded['client']}"))
    assert (shown["email"], shown["phone"], shown["name"]) == (EMAIL, PHONES[0], NAME)
    shown = done(await manager.get(f"/products/{recorded['installed']}"))
    assert (shown["serial"], shown["place"]["address"], shown["place"]["postcode"]) == (
        SERIAL,
        STREET,
        POSTCODE,
    )
    shown = done(await manager.get(f"/articles/{recorded['boiler']}"))
    assert (shown["reference"], shown["gtin"]) == (REFERENCE, GTIN)
    assert await ids(manager, "/products", client_id=str(recorded["client"])) == [str(recorded["installed"])]


@pytest.fixture
async def kept(system: System) -> dict[str, Any]:
    """A réclamation with a visit that took place and one whose client was not there, as both were once told."""
    client = await system.client()
    claim = await opened(client)
    about = {
        "client_id": UUID(client.id),
        "reclamation_id": UUID(claim["id"]),
        "reclamation_reference": claim["reference"],
    }
    states = {uuid7(): "done", uuid7(): "no_show"}
    async with recording(system, "calendar") as tx:
        for id, status in states.items():
            row = appointment(datetime(2026, 3, 2, 8, tzinfo=UTC), id=id, status=status, uid=str(id), **about)
            tx.emit(tx.add(row), AppointmentKept.model_construct())
    await eventually(partial(published, system, "calendar"), 20)
    return {"claim": claim, "states": states}


async def copies(system: System, room: str, states: dict[UUID, str]) -> dict[UUID, str]:
    rows = await system.sql(room, COPIES, list(states))
    assert {row["version"] for row in rows} <= {1}
    return {row["id"]: row["status"] for row in rows}


async def test_a_log_with_events_of_a_superseded_type_is_healed_and_rebuilt(
    system: System, kept: dict[str, Any]
) -> None:
    states, manager = kept["states"], await system.manager()

    async def arrived(room: str) -> bool:
        return bool(await copies(system, room, states) == states)

    for room in ("notifier", "edge"):
        await eventually(partial(arrived, room), 20)
    await system.sql("notifier", "DELETE FROM view WHERE id = ANY($1)", list(states))
    await system.sql("edge", "DELETE FROM view WHERE id = ANY($1)", list(states))
    await system.sql("edge", "DELETE FROM timeline WHERE subject = ANY($1)", list(states))
    assert await types(manager, kept["claim"]) == ["ReclamationCreated"]

    healed = await heal.heal(system.settings, "notifier", patience=20, on_its_way=0.2)
    [lost] = healed.kept.differences
    assert (lost.table, lost.rows) == ("view", len(states))
    await rebuild(system.settings, "edge", patience=0.2)
    for room in ("notifier", "edge"):
        assert await copies(system, room, states) == states
        assert (await rebuild(system.settings, room, swap=False, patience=1)).differences == []
    assert await verify(system.settings, 20) == []
    assert sorted(await types(manager, kept["claim"])) == [
        "AppointmentKept",
        "AppointmentKept",
        "ReclamationCreated",
    ]
    shown = {id: done(await manager.get(f"/appointments/{id}"))["status"] for id in states}
    assert shown == states


@pytest.mark.parametrize("event", SUPERSEDED)
def test_an_event_of_a_superseded_type_cannot_be_made_to_be_emitted(event: type[Event]) -> None:
    instead = " or ".join(newer.__name__ for newer in event.superseded_by)
    with pytest.raises(TypeError, match=f"{event.__name__} is only read from logs: emit {instead}"):
        event()
    assert not any(newer.superseded_by for newer in event.superseded_by)


def test_the_superseded_types_are_known() -> None:
    assert [event.type_name() for event in SUPERSEDED] == ["calendar.AppointmentKept.v1"]
