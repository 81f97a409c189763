"""Whose public holidays are days off: a country, or a part of one, by its ISO 3166 code (`FR`, `FR-57`, `TN`)."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from sav_contracts.wrong_value import WrongValue

# The context in which something stored is read: it may be older than a rule that holds for new ones.
STORED = {"stored": True}
# What the library `holidays` calls the parts of France that have public holidays of their own: by department, by what
# postcodes overseas begin with, and by the letters of ISO 3166.
LOCAL = {
    "57": "57",
    "67": "6AE",
    "68": "6AE",
    "6AE": "6AE",
    "971": "971",
    "972": "972",
    "973": "973",
    "974": "974",
    "975": "PM",
    "976": "976",
    "977": "BL",
    "978": "MF",
    "984": "TF",
    "986": "WF",
    "987": "PF",
    "988": "NC",
    **{"GP": "971", "MQ": "972", "GF": "973", "RE": "974", "YT": "976"},
    **{name: name for name in ("PM", "BL", "MF", "TF", "WF", "PF", "NC")},
}
# The other departments and regions have those of the whole country.
_DEPARTMENTS = {f"{number:02}" for number in range(1, 96)} - {"20"} | {"2A", "2B", "69M", "75C"}
_REGIONS = {"ARA", "BFC", "BRE", "CVL", "20R", "COR", "HDF", "IDF", "NOR", "NAQ", "OCC", "PDL", "PAC"}
# Moselle and Alsace have two more days than the rest of Grand Est.
DIVIDED = {"GES"}
FRENCH = LOCAL.keys() | _DEPARTMENTS | _REGIONS


class NoHolidays(WrongValue):
    code = "no_holidays"
    en = "a country, or a country and region, whose public holidays are known, such as FR or FR-57"
    fr = "un pays, ou un pays et une région, dont les jours fériés sont connus, par exemple FR ou FR-57"


class WhichDepartment(WrongValue):
    """A region in which public holidays differ from one department to the next."""

    code = "which_department"
    en = "public holidays differ within this region: give the department, such as FR-67 or FR-51"
    fr = "les jours fériés diffèrent dans cette région : indiquez le département, par exemple FR-67 ou FR-51"


def _known(region: str, info: ValidationInfo) -> str:
    if info.context == STORED:
        return region
    from holidays import list_supported_countries

    country, dash, part = region.partition("-")
    if country == "FR" and part in DIVIDED:
        raise WhichDepartment().error()
    countries = list_supported_countries(include_aliases=False)
    parts = FRENCH if country == "FR" else countries.get(country, ())
    if country not in countries or (dash and part not in parts):
        raise NoHolidays().error()
    return region


Holidays = Annotated[str, Field(min_length=2, max_length=10, examples=["FR"]), AfterValidator(_known)]


def in_library(region: str) -> tuple[str, str | None]:
    """The country and its part, as the library `holidays` calls them; None where the part has those of the country.

    What was recorded before `Holidays` checked it may be a divided region: it has what all of the country has.
    """
    country, _, part = region.partition("-")
    return country, LOCAL.get(part) if country == "FR" else part or None
