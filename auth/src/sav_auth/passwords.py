"""Password hashing: Argon2id with the OWASP profile, in threads, a bounded number at once."""

import asyncio
import os

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane (26 ms of one core).
_hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
_at_once = asyncio.Semaphore(os.cpu_count() or 1)
# Checked where there is no account, so that its absence takes as long as a wrong password.
_NOBODYS = _hasher.hash("nobody's password")


async def hashed(password: str) -> str:
    """The hash to keep."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether it is the password; takes the same time where there is none to compare with."""
    async with _at_once:
        return (
            await asyncio.to_thread(_verify, password_hash or _NOBODYS, password)
            and password_hash is not None
        )


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
