"""What a process checks before it works: refusing to start is better than losing data later."""

from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

import asyncpg
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings

from sav_chassis.identity import Signer, Verifier
from sav_chassis.pydantic_messages import SHAPES, meant
from sav_chassis.settings import Settings

SHORTEST_SECRET = 16
# The values of PostgreSQL settings under which no confirmed commit is lost.
DURABLE = {
    "fsync": {"on"},
    "full_page_writes": {"on"},
    "synchronous_commit": {"on", "local", "remote_write", "remote_apply"},
}


# The rooms that sign links or check what was signed into them.
LINKING = ("auth", "notifier", "claims", "interventions", "calendar", "reporting")
# Settings whose URL holds a login, and settings whose URL people open.
SERVERS = ("database_url", "broker_url")
OPENED_BY_PEOPLE = ("public_url", "frontend_url")
# The errors of settings that are not one text or number.
IN_JSON = {"list_type", "tuple_type", "dict_type", "model_type", "model_attributes_type"}


class CannotStart(Exception):
    """This process must not start; the message names the cure."""


class MissingMigration(CannotStart):
    """The database's schema is not the one that this code was written for."""


def readable(read: Callable[[], BaseSettings]) -> Callable[[Settings, str], None]:
    """A check that a room's own settings can be read. Its `CannotStart` names the wrong variables."""

    def check(_: Settings, room: str) -> None:
        try:
            read()
        except ValidationError as error:
            raise CannotStart(f"{room}: {'; '.join(wrong_variables(error))}") from None

    return check


def wrong_variables(error: ValidationError) -> list[str]:
    """Each variable that cannot be read, and why. Values are left out: they may be secret."""
    return [_wrong(part["loc"], _why(part)) for part in error.errors()]


def _why(part: ErrorDetails) -> str:
    said = meant(part).en if part["type"] in SHAPES else part["msg"]
    return f"{said}, in JSON" if part["type"] in IN_JSON and isinstance(part["input"], str) else said


def _wrong(where: tuple[int | str, ...], why: str) -> str:
    # Of several settings that do not fit together there is no name: the sentence has them.
    return f"SAV_{where[0]}".upper() + f": {why}" if where else why


def check_settings(settings: Settings, room: str) -> None:
    """`CannotStart` where nobody could sign in, a link could be forged, or production runs on defaults."""
    try:
        known = Verifier(settings.public_keys).key_ids
        signing = [signer.key_id for signer in Signer.each(settings.signing_key)]
    except (TypeError, ValueError) as error:
        raise CannotStart(
            f"{room}: a key cannot be read ({error}); `./sav up` makes new ones after removing it"
        ) from None
    if not known:
        raise CannotStart(
            f"{room}: SAV_PUBLIC_KEYS is empty, so no token could be verified; give the public keys as JSON"
        )
    # Auth signs with the last key until the others are known everywhere.
    if room == "auth" and (not signing or signing[-1] not in known):
        raise CannotStart(
            "auth: SAV_SIGNING_KEY is missing or its public key is not among SAV_PUBLIC_KEYS; give both halves"
        )
    if room in LINKING and len(settings.link_secret) < SHORTEST_SECRET:
        raise CannotStart(
            f"{room}: SAV_LINK_SECRET must have at least {SHORTEST_SECRET} characters, or links could be forged"
        )
    if settings.environment == "production" and (wrong := "; ".join(_unsafe(settings, room))):
        raise CannotStart(f"{room}: in production {wrong}")


def _unsafe(settings: Settings, room: str) -> Iterator[str]:
    """Each setting that is safe in development only, with its cure."""
    for name in SERVERS:
        if name not in settings.model_fields_set:
            yield f"give SAV_{name.upper()}"
        elif _is_guessed(getattr(settings, name)):
            yield f"give the user in SAV_{name.upper()} another password than its own name"
    for name in OPENED_BY_PEOPLE:
        given = getattr(settings, name)
        if given and not given.lower().startswith("https://"):
            yield f"SAV_{name.upper()} must begin with https://, or links and tokens can be read on their way"
    if room == "notifier" and not (settings.frontend_url or settings.public_url):
        yield "give SAV_FRONTEND_URL, or SAV_PUBLIC_URL of the edge, or links in messages lead nowhere"
    if not 0 < settings.rate_limits_scale <= 1:
        yield "SAV_RATE_LIMITS_SCALE is for load tests: leave it out, and set the policy rate_limits instead"


def _is_guessed(url: str) -> bool:
    """Whether the password equals the user, like `sav:sav` of compose.yaml and `guest:guest` of RabbitMQ."""
    parts = urlsplit(url)
    return bool(parts.password) and unquote(parts.password or "") == unquote(parts.username or "")


async def check_durable(pool: asyncpg.Pool, room: str) -> None:
    """`CannotStart` where PostgreSQL may lose a confirmed commit."""
    for name, safe in DURABLE.items():
        value = await pool.fetchval("SELECT current_setting($1)", name)
        if value not in safe:
            raise CannotStart(
                f"{room}: PostgreSQL runs with {name} = {value}, so a confirmed commit may be lost; set it to on"
            )
