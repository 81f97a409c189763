"""A request that works, for one row of the surface."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from stories import Json
from system import Person
from uuid_utils.compat import uuid7

from recipes.scene import Scene, Side
from sav_contracts.actor import Role

Fresh = Callable[[Scene, Side], Awaitable[Json]]


# Whoever asks is used up by it: somebody new in that role, and the record.
Alone = Callable[[Scene, Role], Awaitable[tuple[Person, Json]]]


def nothing(record: Json) -> Json:
    return {}


def same(record: Json) -> Json:
    return record


@dataclass(frozen=True)
class Recipe:
    """The kind of record that is asked for, how one is made where asking changes it, and what is sent."""

    kind: str = ""
    body: Callable[[Json], Json] = nothing
    fresh: Fresh | None = None
    files: dict[str, Any] | None = None
    alone: Alone | None = None
    # The headers that sign what is sent, and whether it is sent as it is, where another system sends it.
    signs: Callable[[Scene, str], dict[str, str]] | None = None


def a_line() -> str:
    """That nobody else has."""
    return str(uuid7())


async def newcomer(scene: Scene, role: Role) -> Person:
    """Somebody in this role whom nobody else needs."""
    system = scene.system
    if role is Role.MANAGER:
        # Nobody needs those who came before, and every one of them would be told whatever happens from now on.
        await system.dismiss_managers()
    makes = {
        Role.CLIENT: system.client,
        Role.TECHNICIAN: system.technician,
        Role.MANAGER: system.manager,
        Role.ADMIN: system.admin,
    }
    return await makes[role]()


async def by_somebody_new(scene: Scene, role: Role) -> tuple[Person, Json]:
    return await newcomer(scene, role), {}


def told(story: Callable[[Person, Person, Person], Awaitable[Json]]) -> Fresh:
    """What the story makes."""

    async def fresh(scene: Scene, side: Side) -> Json:
        return await story(side.client, scene.manager, side.technician)

    return fresh
