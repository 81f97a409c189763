"""Zones of technicians: what postcodes of the firm's country begin with."""

import re
from collections.abc import Mapping, Sequence

from sav_chassis.errors import WrongField, WrongFields
from sav_contracts.interventions.technician import CORSICA

# By the firm's country. France: departments 01 to 95, and overseas (97, 98), of five digits in all; Tunisia: four digits.
BEGINNINGS: Mapping[str, str] = {
    "FR": r"0([1-9]\d{0,3})?|[1-8]\d{0,4}|9([0-57-8]\d{0,3})?|" + "|".join(CORSICA),
    "TN": r"[1-9]\d{0,3}",
}


class NoSuchZone(WrongField):
    prefix: str
    en = "no postcode and no department begins with {prefix}"
    fr = "aucun code postal ni département ne commence par {prefix}"


def check_zone(zone: Sequence[str], country: str) -> None:
    """Refuses what no postcode of the country begins with; of a country that is not known here anything is taken."""
    beginnings = BEGINNINGS.get(country, ".*")
    wrong = [number for number, prefix in enumerate(zone) if not re.fullmatch(beginnings, prefix)]
    if wrong:
        raise WrongFields.each(NoSuchZone(field=f"zone.{number}", prefix=zone[number]) for number in wrong)
