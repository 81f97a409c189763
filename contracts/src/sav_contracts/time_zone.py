"""Time zones of people."""

from typing import Annotated

from pydantic import AfterValidator, Field

from sav_contracts.wrong_value import WrongValue

NOT_IANA = {"localtime", "posixrules", "Factory"}


class NoZone(WrongValue):
    code = "no_zone"
    en = "an IANA time zone, such as Europe/Paris"
    fr = "un fuseau horaire de l’IANA, par exemple Europe/Paris"


def _exists(zone: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        # The machine's own zone, and copies of the list that count leap seconds or serve old programs.
        if zone in NOT_IANA or zone.startswith(("posix/", "right/")):
            raise ValueError
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NoZone().error() from None
    return zone


Zone = Annotated[str, Field(max_length=60, examples=["Europe/Paris"]), AfterValidator(_exists)]
