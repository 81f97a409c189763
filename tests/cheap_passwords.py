"""Passwords that cost next to nothing: what one costs in life is seconds of a processor for every hundred people."""

from argon2 import PasswordHasher

from sav_auth import passwords

CHEAP = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)
IN_LIFE = passwords._hasher


def use() -> None:
    """From here on this process hashes and checks them so."""
    passwords._hasher, passwords._NOBODYS = CHEAP, CHEAP.hash("nobody's password")
