"""A caller is recognised by their token: remembered by the edge, or verified each time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from harness import Aim, Contender, Figures, Measured, interleaved
from people import token
from uuid_utils.compat import uuid7

from sav_chassis.identity import AUDIENCE, ISSUER, Verifier
from sav_chassis.settings import Settings

PEOPLE = 1000
TIMES = 20
PYJWT = "PyJWT each time, its key loaded once"
AIMS = (Aim("µs", 0.1, "most", against=PYJWT),)
NOTES = (
    f"One check of the token of one of {PEOPLE:,} people in turn, in one thread. Ours remembers what it verified until "
    f"the token expires, and looks up each time whether the person or the session is among {PEOPLE:,} revoked ones; "
    "PyJWT verifies the signature (Ed25519), times, issuer and audience, and looks nothing up.",
)


async def measure(settings: Settings, rounds: int) -> Measured:
    """Microseconds a check."""
    tokens = [token(settings, UUID(str(uuid7()))) for _ in range(PEOPLE)]
    verifier = Verifier(settings.public_keys)
    verifier.revoked = {UUID(str(uuid7())): datetime.now(UTC) for _ in range(PEOPLE)}
    keys = {id: load_pem_public_key(pem.encode()) for id, pem in settings.public_keys.items()}

    def each_time(one: str) -> object:
        key = keys[jwt.get_unverified_header(one)["kid"]]
        return jwt.decode(one, key, ["EdDSA"], issuer=ISSUER, audience=AUDIENCE)  # type: ignore[arg-type]

    contenders = (
        Contender("SAV's edge", partial(checked, verifier.actor, tokens, TIMES * 10)),
        Contender(PYJWT, partial(checked, each_time, tokens, TIMES)),
    )
    measured = await interleaved("Token: who is asking", contenders, AIMS, rounds)
    measured.notes += NOTES
    return measured


async def checked(check: Callable[[str], object], tokens: list[str], times: int) -> Figures:
    for one in tokens:
        check(one)
    began = time.perf_counter()
    for _ in range(times):
        for one in tokens:
            check(one)
    return {"µs": (time.perf_counter() - began) / times / len(tokens) * 1e6}
