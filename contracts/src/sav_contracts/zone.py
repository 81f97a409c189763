"""Where people's clocks are."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _exists(zone: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("an IANA time zone, such as Europe/Paris") from None
    return zone


Zone = Annotated[str, Field(max_length=60), AfterValidator(_exists)]
