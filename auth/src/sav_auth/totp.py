"""Time-based one-time passwords (RFC 6238), as every authenticator makes them: SHA-1, six digits, 30 seconds."""

from base64 import b32decode, b32encode
from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

ISSUER = "SAV"
STEP_SECONDS = 30
# How many steps the person's clock may be wrong (RFC 6238, 5.2).
DRIFT = 1


def new_secret() -> bytes:
    """160 bits, the length of the hash (RFC 4226, 4)."""
    return b32decode(pyotp.random_base32())


def spelled(secret: bytes) -> str:
    """As a person types it into an authenticator."""
    return b32encode(secret).decode()


def uri(secret: bytes, email: str) -> str:
    """As an authenticator reads it from a QR code (the otpauth key URI format)."""
    return _maker(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def code(secret: bytes, step: int) -> str:
    """The six digits of a step (RFC 4226, 5.3)."""
    return _maker(secret).generate_otp(step)


def step_of(secret: bytes, given: str, now: datetime) -> int | None:
    """The step near `now` that has this code, or None. The caller must not accept a step twice."""
    here = _maker(secret).timecode(now)
    steps = range(here - DRIFT, here + DRIFT + 1)
    return next((step for step in steps if strings_equal(code(secret, step), given)), None)


def _maker(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(spelled(secret), interval=STEP_SECONDS)
