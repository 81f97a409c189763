"""The keys that a service verifies tokens with: those of the settings, and those that auth announced since."""

import asyncio
import math
import time

from sqlalchemy import text

from sav_chassis.database import Database
from sav_chassis.identity import UnknownKey, Verifier
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import SigningKeyView

# Seconds after which the table is read again: for a key that is not known, and for one that is not used any more.
UNKNOWN_AFTER = 1.0
STALE_AFTER = 60.0
ANNOUNCED = text(f"SELECT doc::text FROM view WHERE kind = '{SigningKeyView.kind()}'")


class Keys:
    """Recognises callers. It looks for new keys when a token asks for one, so nothing runs meanwhile."""

    def __init__(self, public_pems: dict[str, str], database: Database) -> None:
        self._verifier = Verifier(public_pems)
        self._database = database
        self._read_at = -math.inf
        self._reading = asyncio.Lock()

    async def actor(self, token: str) -> Actor:
        """The caller; `NotSignedIn` where the token is not ours, altered or expired."""
        await self._look(STALE_AFTER)
        try:
            return self._verifier.actor(token)
        except UnknownKey:
            await self._look(UNKNOWN_AFTER)
            return self._verifier.actor(token)

    async def _look(self, seconds: float) -> None:
        """Reads the table again where that is so long ago."""
        if time.monotonic() - self._read_at < seconds:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < seconds:
                return
            async with self._database.engine.connect() as connection:
                announced = await connection.scalars(ANNOUNCED)
            self._verifier.learn(map(SigningKeyView.model_validate_json, announced))
            self._read_at = time.monotonic()
