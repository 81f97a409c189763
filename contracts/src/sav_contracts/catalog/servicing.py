"""Which appliances the law wants serviced, how often, and which services are attested. Rules as data, with their dates."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol

from sav_contracts.catalog.article import Family, Fuel, Heats
from sav_contracts.catalog.warranty import months_after

ApplianceKind = Literal["boiler", "heat_pump", "water_heater", "other"]

BURNING: frozenset[Fuel | None] = frozenset({"gas", "oil", "wood", "gas_hybrid", "oil_hybrid"})


class Built(Protocol):
    """What an article says of the appliances that are built like it."""

    @property
    def family(self) -> Family: ...
    @property
    def fuel(self) -> Fuel | None: ...
    @property
    def heats(self) -> Heats | None: ...
    @property
    def power_kw(self) -> Decimal | None: ...


class ServiceRule(NamedTuple):
    """How often appliances of these kinds are serviced, from `since` on. It holds for those between these powers, in kW."""

    since: date
    kinds: tuple[ApplianceKind, ...]
    least: Decimal
    most: Decimal
    # Only for what burns something.
    burning: bool
    # At most so long after the service before.
    months: int
    # The first one: until the end of the calendar year that follows the installation; else `months` after it.
    first_by_end_of_year: bool
    # Whether each service is attested, and within how many days.
    attested_within: int | None
    reference: str


NO_BOUND = Decimal("Infinity")
# The first that fits holds. A power that nobody has said is taken to be between the bounds: most are.
SERVICE_RULES = (
    ServiceRule(
        date(2009, 9, 15), ("boiler",), Decimal(4), Decimal(400), True, 12, True, 15,
        "Code de l’environnement, R224-41-4 à R224-41-9 ; arrêté du 15 septembre 2009",
    ),
    ServiceRule(
        date(2020, 7, 31), ("heat_pump",), Decimal(4), Decimal(70), False, 24, False, 15,
        "Décret n° 2020-912 du 28 juillet 2020 ; arrêté du 24 juillet 2020",
    ),
    ServiceRule(
        date(2023, 10, 1), ("boiler", "water_heater", "other"), Decimal(0), NO_BOUND, True, 12, False, None,
        "Décret n° 2023-641 du 20 juillet 2023",
    ),
)  # fmt: skip


class CarbonMonoxideLimits(NamedTuple):
    """From how many ppm of carbon monoxide in the room the air is abnormal, or a grave and immediate danger."""

    since: date
    abnormal: int
    dangerous: int
    reference: str


# The newest first.
CARBON_MONOXIDE = (
    CarbonMonoxideLimits(date(2014, 7, 1), 10, 50, "Arrêté du 15 septembre 2009, annexe 1"),
    CarbonMonoxideLimits(date.min, 20, 50, "Arrêté du 15 septembre 2009, annexe 1 (avant juillet 2014)"),
)

AirQuality = Literal["normal", "abnormal", "dangerous"]


def air_quality(ppm: int, on: date) -> AirQuality:
    """What this much carbon monoxide in the room means by the limits of that day."""
    limits = next(limits for limits in CARBON_MONOXIDE if limits.since <= on)
    if ppm >= limits.dangerous:
        return "dangerous"
    return "abnormal" if ppm >= limits.abnormal else "normal"


def kind_of(article: Built) -> ApplianceKind:
    """What kind of appliance it is. A hybrid has a burner, so it is serviced as a boiler."""
    if article.family == "part":
        return "other"
    if article.heats == "water":
        return "water_heater"
    if article.family != "heating":
        return "other"
    if article.fuel == "heat_pump":
        return "heat_pump"
    return "boiler" if burns(article) else "other"


def burns(article: Built) -> bool:
    """Whether it burns something."""
    return article.family != "part" and article.fuel in BURNING


def service_rule(article: Built, on: date) -> ServiceRule | None:
    """The rule for its services on that day; None where the law asks for none."""
    kind, burning = kind_of(article), burns(article)
    fitting = (
        rule
        for rule in SERVICE_RULES
        if rule.since <= on
        and kind in rule.kinds
        and (burning or not rule.burning)
        and (article.power_kw is None or rule.least <= article.power_kw <= rule.most)
    )
    return next(fitting, None)


def attesting_rule(kind: ApplianceKind, on: date) -> ServiceRule:
    """The rule by which services of such appliances are attested; another one where there is none for them."""
    attesting = [rule for rule in SERVICE_RULES if rule.attested_within and rule.since <= on]
    return min(attesting, key=lambda rule: kind not in rule.kinds)


def next_service(article: Built, installed: date, serviced: date | None, today: date) -> date | None:
    """Until when its next service is due; None where the law asks for none.

    What we know of no service, and is past the time of its first one, may have been serviced by others: it is due by the
    end of this year.
    """
    rule = service_rule(article, today)
    if rule is None:
        return None
    if serviced:
        return months_after(serviced, rule.months)
    first = (
        date(installed.year + 1, 12, 31)
        if rule.first_by_end_of_year
        else months_after(installed, rule.months)
    )
    return first if first >= today else date(today.year, 12, 31)


def attested_by(article: Built, serviced: date) -> date | None:
    """Until when a service on that day is attested; None where it need not be."""
    rule = service_rule(article, serviced)
    return serviced + timedelta(rule.attested_within) if rule and rule.attested_within else None
