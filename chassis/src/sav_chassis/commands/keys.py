"""The keys with which a service verifies tokens: those of the settings, and those that auth announced later."""

import asyncio
import math
import time

from sav_chassis.copies import Copies
from sav_chassis.database import Database
from sav_chassis.identity import UnknownKey, Verifier
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import SigningKeyView

# Seconds after which the table is read again: for an unknown key, and to notice keys that are no longer used.
UNKNOWN_AFTER = 1.0
STALE_AFTER = 60.0


class Keys:
    """Identifies callers. New keys are read when a token needs one, so no background task is needed."""

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
        """Reads the table again where the last reading is older than `seconds`."""
        if time.monotonic() - self._read_at < seconds:
            return
        async with self._reading:
            if time.monotonic() - self._read_at < seconds:
                return
            async with self._database.engine.connect() as connection:
                self._verifier.learn(await Copies(connection, SigningKeyView).all())
            self._read_at = time.monotonic()
