"""Passwords: which are taken, and how they are hashed: Argon2id with the OWASP profile, a bounded number at once."""

import asyncio
import gzip
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.resources import files
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from sav_chassis.errors import Invalid, Unavailable
from sav_chassis.runner import COMMANDS_AT_ONCE

P = ParamSpec("P")
R = TypeVar("R")

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane (26 ms of one core).
_hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
# One thread a processor. They give way to whatever else wants it: reads go on beside a flood of sign-ins.
_threads = ThreadPoolExecutor(os.cpu_count() or 1, "argon2", initializer=partial(os.nice, 5))
# Passwords in hand, those that wait for a thread among them. A replica answers a few commands more at once: there is
# always room for refreshing a session or ending one.
AT_ONCE = COMMANDS_AT_ONCE - 4
_waiting = 0
# Checked where there is no account, so that its absence takes as long as a wrong password.
_NOBODYS = _hasher.hash("nobody's password")


def check_password(password: SecretStr, *own: str) -> None:
    """Raises `Invalid`, naming `password`, for what is tried first (NIST SP 800-63B, 3.1.1.2).

    That is a common password, one with digits or signs around it, and what says no more than the person's `own`
    address and name.
    """
    said = _plain(password.get_secret_value())
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", said)
    if common() & {said, core}:
        raise Invalid.field("password", "is one of those that are tried first; choose another")
    rest = said
    for word in sorted(re.findall(r"[^\W\d_]{3,}", _plain(" ".join(own))), key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != said and not re.search(r"[^\W\d_]", rest):
        raise Invalid.field("password", "says no more than your name and address; choose another")


@cache
def common() -> frozenset[str]:
    """The passwords that are tried first, in small letters."""
    packed = files("sav_auth").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().splitlines())


def _plain(text: str) -> str:
    """In small letters without accents."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


async def hashed(password: SecretStr) -> str:
    """The hash to keep; `Unavailable` where many wait for theirs already."""
    return await _in_turn(_hasher.hash, password.get_secret_value())


async def matches(password_hash: str | None, password: SecretStr) -> bool:
    """Whether it is the password; takes the same time where there is none to compare with."""
    right = await _in_turn(_verify, password_hash or _NOBODYS, password.get_secret_value())
    return right and password_hash is not None


async def _in_turn(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    global _waiting
    if _waiting == AT_ONCE:
        raise Unavailable("many people are signing in just now; try again in a moment", retry_after=1)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, partial(work, *args, **kwargs))
    finally:
        _waiting -= 1


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
