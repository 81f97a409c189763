"""Which passwords are accepted, and how they are hashed: Argon2id, OWASP profile, a bounded number in parallel."""

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

from sav_chassis.commands.consumer import COMMANDS_AT_ONCE
from sav_chassis.errors import Unavailable, WrongField
from sav_chassis.settings import Settings
from sav_contracts import canonical
from sav_contracts.demo import PASSWORD as DEMO_PASSWORD

P = ParamSpec("P")
R = TypeVar("R")

# OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane (26 ms of one core).
_hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
# One thread per processor, at lower priority (nice 5), so that a flood of sign-ins does not slow down other work.
_threads = ThreadPoolExecutor(os.cpu_count() or 1, "argon2", initializer=partial(os.nice, 5))
# How many passwords are hashed or wait for a thread. Fewer than the commands a replica handles in parallel, so that
# there is always room for refreshing or ending a session.
AT_ONCE = COMMANDS_AT_ONCE - 4
_waiting = 0
# Compared where there is no account, so that the reply takes as long as for a wrong password.
_NOBODYS = _hasher.hash("nobody's password")


class CommonPassword(WrongField):
    field: str = "password"
    en = "is a common password; choose another"
    fr = "ce mot de passe fait partie des premiers que l’on essaie ; choisissez-en un autre"


class OwnNamePassword(WrongField):
    field: str = "password"
    en = "contains only your name or address; choose another"
    fr = "ce mot de passe ne contient que votre nom ou votre adresse ; choisissez-en un autre"


class ManySignIn(Unavailable):
    retry_after: int = 1
    en = "Too many people are signing in just now; try again in a moment"
    fr = "Beaucoup de personnes se connectent en ce moment ; réessayez dans un instant"


def check_password(settings: Settings, password: SecretStr, *own: str) -> None:
    """Raises `WrongField`, naming `password`, for passwords that attackers try first (NIST SP 800-63B, 3.1.1.2).

    These are common passwords, also with digits or signs around them; in production the demo's; and those that contain
    only the person's `own` address and name.
    """
    said = _plain(password.get_secret_value())
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", said)
    demo = settings.environment == "production" and canonical.code(said) == canonical.code(DEMO_PASSWORD)
    if demo or common() & {said, core}:
        raise CommonPassword
    rest = said
    for word in sorted(re.findall(r"[^\W\d_]{3,}", _plain(" ".join(own))), key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != said and not re.search(r"[^\W\d_]", rest):
        raise OwnNamePassword


def opens_nothing(settings: Settings, password: SecretStr) -> bool:
    """Whether it is the demo's password in production: it is public, so it never signs anybody in."""
    typed = canonical.password(password.get_secret_value())
    return settings.environment == "production" and typed == DEMO_PASSWORD


@cache
def common() -> frozenset[str]:
    """Common passwords, in lower case."""
    packed = files("sav_auth").joinpath("common_passwords.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode().splitlines())


def _plain(text: str) -> str:
    """In lower case without accents."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


async def hashed(password: SecretStr) -> str:
    """The hash to store; raises `Unavailable` where `AT_ONCE` passwords are being checked already."""
    return await _in_turn(_hasher.hash, password.get_secret_value())


async def matches(password_hash: str | None, password: SecretStr) -> bool:
    """Whether it is the password; takes the same time where there is no hash to compare with.

    The password is also compared as it was typed: older hashes were made before passwords had a canonical form.
    """
    typed = password.get_secret_value()
    spellings = dict.fromkeys((canonical.password(typed), typed))
    right = await _in_turn(_verify, password_hash or _NOBODYS, *spellings)
    return right and password_hash is not None


async def _in_turn(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    global _waiting
    if _waiting == AT_ONCE:
        raise ManySignIn
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, partial(work, *args, **kwargs))
    finally:
        _waiting -= 1


def _verify(password_hash: str, *spellings: str) -> bool:
    return any(_is(password_hash, spelling) for spelling in spellings)


def _is(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
