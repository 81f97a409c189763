"""A small cast, the same in every test."""

from uuid import UUID

from sav_contracts.actor import Actor, Role


def _person(number: int, role: Role) -> Actor:
    return Actor(id=UUID(int=number), role=role)


lea = _person(1, Role.CLIENT)
paul = _person(2, Role.CLIENT)
karim = _person(11, Role.TECHNICIAN)
sofia = _person(12, Role.TECHNICIAN)
marie = _person(21, Role.MANAGER)
alex = _person(31, Role.ADMIN)
