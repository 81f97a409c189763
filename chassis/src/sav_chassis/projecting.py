"""What a service keeps of other services' events: copies of their records, and projections of its own."""

from collections.abc import Sequence
from typing import cast

import asyncpg

from sav_chassis.database import Database
from sav_chassis.projector import Told, project
from sav_chassis.service import Service


async def take_in(service: Service, database: Database, told: Sequence[Told]) -> None:
    """Brings the mirror and every projection up to these events, in one transaction."""
    async with database.pool.acquire() as connection, connection.transaction():
        await project(connection, [one for one in told if one[1].state_type() in service.mirrored])
        for events, projection in service.projections:
            if chosen := [one for one in told if type(one[1]) in events]:
                # The pool's connections are connections to whoever uses them, but for their type.
                await projection(cast("asyncpg.Connection", connection), chosen)
