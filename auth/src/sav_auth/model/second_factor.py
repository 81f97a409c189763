"""The second factor of an account: an authenticator, and recovery codes for when it is lost."""

import hmac
import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Mapped, mapped_column

from sav_auth import totp
from sav_chassis.model import Base, JsonColumn
from sav_contracts import canonical

RECOVERY_CODES = 10
# How long the confirming code may be sent again to get the recovery codes: the reply may have been lost.
SHOWN_AGAIN_WITHIN = timedelta(minutes=1)
NONCE = 12


class SecondFactor(Base):
    """In force once `confirmed_at` is set. The secret is encrypted; recovery codes derive from it, none is stored."""

    __tablename__ = "second_factor"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    secret: Mapped[bytes]
    confirmed_at: Mapped[datetime | None]
    # The step of the newest accepted code: neither it nor an older one is accepted again (RFC 6238, 5.2).
    last_step: Mapped[int]
    recovery_used: Mapped[list[int]] = mapped_column(JsonColumn(list[int]))

    @classmethod
    def begun(cls, account_id: UUID, link_secret: str) -> "SecondFactor":
        factor = cls(account_id=account_id)
        factor.begin_anew(link_secret)
        return factor

    def begin_anew(self, link_secret: str) -> None:
        """Replaces the secret by a new one, which has to be confirmed."""
        nonce = secrets.token_bytes(NONCE)
        sealed = _cipher(link_secret).encrypt(nonce, totp.new_secret(), self.account_id.bytes)
        self.secret = nonce + sealed
        self.confirmed_at, self.last_step, self.recovery_used = None, 0, []

    def opened(self, link_secret: str) -> bytes:
        """The decrypted secret, which the authenticator shares."""
        nonce, sealed = self.secret[:NONCE], self.secret[NONCE:]
        return _cipher(link_secret).decrypt(nonce, sealed, self.account_id.bytes)

    def confirm(self, given: str, link_secret: str, now: datetime) -> bool:
        """Confirms the factor if the code is right; the same code is accepted again within `SHOWN_AGAIN_WITHIN`."""
        step = totp.step_of(self.opened(link_secret), given, now)
        if self.confirmed_at:
            return step == self.last_step and now - self.confirmed_at <= SHOWN_AGAIN_WITHIN
        if step is None:
            return False
        self.confirmed_at, self.last_step = now, step
        return True

    def takes(self, given: str, link_secret: str, now: datetime) -> bool:
        """Whether this code is right, and uses it up: each is accepted once, also a recovery code."""
        step = totp.step_of(self.opened(link_secret), given, now)
        if step is not None and step > self.last_step:
            self.last_step = step
            return True
        return self._takes_recovery(given, link_secret)

    def recovery_codes(self, link_secret: str) -> list[str]:
        """All recovery codes, used or not, as they are shown to the person."""
        secret = self.opened(link_secret)
        return [_recovery_code(secret, number) for number in range(RECOVERY_CODES)]

    @property
    def recovery_left(self) -> int:
        return RECOVERY_CODES - len(self.recovery_used)

    def _takes_recovery(self, given: str, link_secret: str) -> bool:
        for number, code in enumerate(self.recovery_codes(link_secret)):
            right = hmac.compare_digest(canonical.code(code).encode(), given.encode())
            if right and number not in self.recovery_used:
                self.recovery_used = [*self.recovery_used, number]
                return True
        return False


def _cipher(link_secret: str) -> AESGCM:
    key = HKDF(SHA256(), length=32, salt=None, info=b"sav second factor").derive(link_secret.encode())
    return AESGCM(key)


def _recovery_code(secret: bytes, number: int) -> str:
    """60 bits, in letters and digits that are not easily confused."""
    said = b32encode(hmac.digest(secret, b"recovery %d" % number, "sha256")).decode().lower()
    return f"{said[:4]}-{said[4:8]}-{said[8:12]}"
