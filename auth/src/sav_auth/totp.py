"""One-time passwords by time (RFC 6238), as every authenticator makes them: SHA-1, six digits, 30 seconds."""

import hmac
import secrets
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote

ISSUER = "SAV"
STEP_SECONDS = 30
# Steps that the person's clock may be off (RFC 6238, 5.2).
DRIFT = 1


def new_secret() -> bytes:
    """160 bits, the length of the hash (RFC 4226, 4)."""
    return secrets.token_bytes(20)


def spelled(secret: bytes) -> str:
    """As a person types it into an authenticator."""
    return b32encode(secret).decode()


def uri(secret: bytes, email: str) -> str:
    """As an authenticator reads it from a picture (the otpauth key URI format)."""
    return f"otpauth://totp/{ISSUER}:{quote(email)}?secret={spelled(secret)}&issuer={ISSUER}"


def code(secret: bytes, step: int) -> str:
    """The six digits of a step (RFC 4226, 5.3)."""
    mac = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def step_of(secret: bytes, given: str, now: datetime) -> int | None:
    """The step around now whose code it is; None where it is none of theirs."""
    here = int(now.timestamp()) // STEP_SECONDS
    for step in range(here - DRIFT, here + DRIFT + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode()):
            return step
    return None
