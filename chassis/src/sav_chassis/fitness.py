"""What a process checks before it works: refusing to start is better than losing something later."""

import asyncpg

from sav_chassis.identity import Signer, Verifier
from sav_chassis.settings import Settings

SHORTEST_SECRET = 16
# PostgreSQL settings under which a confirmed commit may be lost.
DURABLE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "local", "remote_write", "remote_apply"},
}


class Unfit(Exception):
    """This process must not start; the message names the cure."""


class MissingMigration(Unfit):
    """The database's schema is not the one that this code was written for."""


def check_settings(settings: Settings, room: str) -> None:
    """`Unfit` where nobody could sign in, a link could be forged, or production runs on defaults."""
    try:
        known = Verifier(settings.public_keys).key_ids
        signing = [signer.key_id for signer in Signer.each(settings.signing_key)]
    except (TypeError, ValueError) as error:
        raise Unfit(
            f"{room}: a key cannot be read ({error}); `./sav up` makes new ones after removing it"
        ) from None
    if not known:
        raise Unfit(
            f"{room}: SAV_PUBLIC_KEYS is empty, so no token could be verified; give the public keys as JSON"
        )
    # It signs with the last one until the others are known everywhere.
    if room == "auth" and (not signing or signing[-1] not in known):
        raise Unfit(
            "auth: SAV_SIGNING_KEY is missing or its public key is not among SAV_PUBLIC_KEYS; give both halves"
        )
    if room in ("auth", "notifier") and len(settings.link_secret) < SHORTEST_SECRET:
        raise Unfit(
            f"{room}: SAV_LINK_SECRET must have at least {SHORTEST_SECRET} characters, or links could be forged"
        )
    defaults = [name for name in ("database_url", "broker_url") if name not in settings.model_fields_set]
    if settings.environment == "production" and defaults:
        raise Unfit(f"{room}: in production give {', '.join(f'SAV_{name.upper()}' for name in defaults)}")


async def check_durable(pool: asyncpg.Pool, room: str) -> None:
    """`Unfit` where the server may forget what it has confirmed."""
    for name, safe in DURABLE.items():
        value = await pool.fetchval("SELECT current_setting($1)", name)
        if value not in safe:
            raise Unfit(
                f"{room}: PostgreSQL runs with {name} = {value}, so a confirmed commit may be lost; set it to on"
            )
