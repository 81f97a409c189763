"""What a service keeps of other services' events: copies of their records, and projections of its own."""

from collections.abc import Sequence
from typing import cast

import asyncpg

from sav_chassis.database import Database
from sav_chassis.projector import Told, project
from sav_chassis.revoking import revoke
from sav_chassis.service import Service


async def take_in(service: Service, database: Database, told: Sequence[Told]) -> None:
    """Brings the mirror and every projection up to these events, in one transaction; whom they revoke is out."""
    async with database.pool.acquire() as connection, connection.transaction():
        await revoke(connection, told)
        # The pool's connections are connections to whoever uses them, but for their type.
        await write(service, cast("asyncpg.Connection", connection), told)


async def write(service: Service, connection: asyncpg.Connection, told: Sequence[Told]) -> None:
    """The same in a transaction that is open already."""
    await project(connection, [one for one in told if one[1].state_type() in service.mirrored])
    for projected in service.projections:
        if chosen := [one for one in told if type(one[1]) in projected.events]:
            await projected.projection(connection, chosen)


def tables(service: Service) -> list[str]:
    """What `take_in` writes, in its order; the service's own aggregates are not among them."""
    return ["view", *(projected.table for projected in service.projections)]
