"""Locks the demo people out, in auth's database: in production, auth does not start while they can sign in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from uuid_utils.compat import uuid7

from sav_auth import demo
from sav_chassis.database import Database
from sav_chassis.envelope import Context
from sav_chassis.events.relay import CHANNEL
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_chassis.tx import Tx, transaction
from sav_contracts.actor import SYSTEM
from sav_ops.home import OpsError


async def check_none(settings: Settings) -> None:
    """Raise an OpsError if auth would refuse to start because of them: then no other room need start, either."""
    async with _auth(settings) as tx:
        await demo.check_none(tx)


async def remove(settings: Settings) -> list[str]:
    """Lock them out for good, whether auth runs or not; return the addresses of those who could sign in."""
    async with _auth(settings) as tx:
        return await demo.remove(tx)


@asynccontextmanager
async def _auth(settings: Settings) -> AsyncIterator[Tx]:
    """A transaction in auth's database; auth's relay publishes its events once auth runs."""
    database = Database(settings, "auth")
    context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
    try:
        await database.open(pool_size=1)
        try:
            async with transaction(database, settings, context, lambda _: None) as tx:
                yield tx
            await database.pool.execute(f"NOTIFY {CHANNEL}")
        finally:
            await database.close()
    except CannotStart as unfit:
        raise OpsError(str(unfit)) from None
