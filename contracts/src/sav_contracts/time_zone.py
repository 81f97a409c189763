"""Time zones of people and places."""

from typing import Annotated

from pydantic import AfterValidator, Field

from sav_contracts.wrong_value import WrongValue

# The zones of France's territories overseas by the first three digits of their postcodes, and of other countries. Where
# a country has several zones, most of its people live in this one.
OVERSEAS = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}
COUNTRIES = {
    "TN": "Africa/Tunis",
    "DZ": "Africa/Algiers",
    "MA": "Africa/Casablanca",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "PT": "Europe/Lisbon",
    "GP": "America/Guadeloupe",
    "MQ": "America/Martinique",
    "GF": "America/Cayenne",
    "RE": "Indian/Reunion",
    "PM": "America/Miquelon",
    "YT": "Indian/Mayotte",
    "BL": "America/St_Barthelemy",
    "MF": "America/Marigot",
    "WF": "Pacific/Wallis",
    "PF": "Pacific/Tahiti",
    "NC": "Pacific/Noumea",
}
# Of France and its neighbours.
CENTRAL = "Europe/Paris"


def zone_of(country: str, postcode: str) -> str:
    """The time zone of a place, by its country (ISO 3166) and postcode."""
    if country == "FR":
        return OVERSEAS.get(postcode[:3], CENTRAL)
    return COUNTRIES.get(country, CENTRAL)


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
