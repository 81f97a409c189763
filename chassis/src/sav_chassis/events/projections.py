"""What a service stores from other services' events: copies of their records, and its own projections."""

from collections.abc import Sequence
from typing import cast

import asyncpg

from sav_chassis.database import Database
from sav_chassis.revocations import revoke
from sav_chassis.service import Service
from sav_chassis.views import RecordedEvent, project


async def project_batch(service: Service, database: Database, events: Sequence[RecordedEvent]) -> None:
    """Applies these events to the copies and all projections, and revokes access, in one transaction."""
    async with database.pool.acquire() as connection, connection.transaction():
        await revoke(connection, events)
        # A pool's connection works as a plain connection, but has another type.
        await write(service, cast("asyncpg.Connection", connection), events)


async def write(service: Service, connection: asyncpg.Connection, events: Sequence[RecordedEvent]) -> None:
    """Applies events to the copies and all projections in a transaction that is already open."""
    await project(connection, [one for one in events if one[1].state_type() in service.mirrored])
    for projected in service.projections:
        if chosen := [one for one in events if type(one[1]) in projected.events]:
            await projected.projection(connection, chosen)


def tables(service: Service) -> list[str]:
    """The tables that `project_batch` writes, in its order. The service's own aggregates are not among them."""
    return ["view", *(projected.table for projected in service.projections)]
