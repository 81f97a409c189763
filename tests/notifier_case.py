"""A case of what is told to whom."""

from typing import NamedTuple
from uuid import UUID

import world
from given_notifier import nadia

from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.messages import Event

MANAGERS = {world.marie.id, nadia.id}


LEA, KARIM = {world.lea.id}, {world.karim.id}


class Case(NamedTuple):
    """An event, what was told before it, and which templates it makes for whom."""

    name: str
    event: Event
    told: dict[str, set[UUID]]
    before: tuple[Event, ...] = ()
    by: Actor = SYSTEM
