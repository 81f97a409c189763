"""The demo people."""

from typing import NamedTuple

from sav_chassis.settings import Settings


class DemoLogin(NamedTuple):
    role: str
    email: str
    password: str


async def seed(settings: Settings) -> list[DemoLogin]:
    return []
