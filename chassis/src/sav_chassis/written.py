"""Amounts, numbers and dates as a language writes them (CLDR, by Babel)."""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale as Cldr
from babel.core import get_global
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_symbol

from sav_contracts.auth.fields import Locale
from sav_contracts.money import Currency
from sav_contracts.sentences import Text

# The English of people who write the day before the month.
LANGUAGES: dict[Locale, str] = {"fr": "fr_FR", "en": "en_GB"}
# In French the dinar has its own sign where people pay with it.
SIGNS_OF: dict[tuple[Locale, Currency], str] = {("fr", "TND"): "fr_TN"}
NBSP = "\N{NO-BREAK SPACE}"
# What separates thousands and decimals, from the English.
FRENCH_SIGNS = str.maketrans({",": "\N{NARROW NO-BREAK SPACE}", ".": ","})
# What a name begins with that sounds as a vowel: `Yves`, but not `Yasmine`.
_VOWEL = re.compile("[aeiouœæ]|y(?![aeiouy])", re.IGNORECASE)


def money(amount: Decimal, currency: Currency, locale: Locale) -> str:
    """`1 234,50 €`, `€1,234.50`, `12,340 DT`, `TND 12.340`: with as many decimals as the currency has."""
    written = format_currency(amount, currency, locale=SIGNS_OF.get((locale, currency), LANGUAGES[locale]))
    sign = get_currency_symbol(currency, locale=LANGUAGES[locale])
    # Letters are not written against the digits; this rule of CLDR is not in Babel.
    return written.replace(sign, sign + NBSP) if locale == "en" and sign.isalpha() else written


def sign(currency: str, locale: Locale) -> str:
    """`€`, `DT`: the sign of a currency where people pay with it, otherwise its code."""
    where: dict[str, str] = {code: place for (spoken, code), place in SIGNS_OF.items() if spoken == locale}
    return get_currency_symbol(currency, locale=where.get(currency, LANGUAGES[locale]))


def number(value: Decimal, locale: Locale) -> str:
    """`1 234,5`, `1,234.5`: exact, without zeros at its end."""
    return format_decimal(value, locale=LANGUAGES[locale], decimal_quantization=False)


def day(on: date, locale: Locale) -> str:
    """`1er mars 2026`, `1 March 2026`."""
    written = format_date(on, "d MMMM y", LANGUAGES[locale])
    # The first of a month is an ordinal in French; CLDR writes all days alike.
    return f"1er{written[1:]}" if locale == "fr" and on.day == 1 else written


def day_of_week(on: date, locale: Locale) -> str:
    """`dimanche 1er mars 2026`, `Sunday 1 March 2026`."""
    return f"{weekdays(locale)[on.weekday()]} {day(on, locale)}"


@cache
def weekdays(locale: Locale) -> tuple[str, ...]:
    """The names of the days, Monday first."""
    names = Cldr.parse(LANGUAGES[locale]).days["format"]["wide"]
    return tuple(names[index] for index in range(7))


def hour(at: datetime, locale: Locale) -> str:
    """`9 h`, `9 h 30`; `9:00`, `9:30`."""
    if locale == "en":
        return f"{at.hour}:{at.minute:02}"
    return f"{at.hour}{NBSP}h" + (f"{NBSP}{at.minute:02}" if at.minute else "")


def moment(at: datetime, locale: Locale) -> str:
    """`mardi 24 novembre 2026 à 9 h`, on the clock of the time's own zone."""
    return f"{day_of_week(at.date(), locale)} {'à' if locale == 'fr' else 'at'} {hour(at, locale)}"


def window(begins: datetime, ends: datetime, locale: Locale, between: bool = True) -> str:
    """`mardi 24 novembre 2026, entre 9 h et 10 h`, or `de 9 h à 10 h` for the whole time (`between` is false).

    On the clock of the times' own zone; where that shows the same at both ends, as when clocks go back, only that.
    """
    if (only := moment(begins, locale)) == moment(ends, locale):
        return only
    since, until = hour(begins, locale), hour(ends, locale)
    last = day_of_week(ends.date(), locale) if ends.date() != begins.date() else ""
    if locale == "en":
        said = f"between {since} and {until}" if between else f"from {since} to {until}"
        said += f" on {last}" if last else ""
    elif between:
        said = f"entre {since} et " + (f"le {last} à {until}" if last else until)
    else:
        said = f"de {since} " + (f"au {last} à {until}" if last else f"à {until}")
    return f"{day_of_week(begins.date(), locale)}, {said}"


def where_clocks_differ(at: datetime, zone: str, here: str, locale: Locale) -> str:
    """` (heure locale, La Réunion)`: what is said of a time there, where the clocks here show another one; else nothing."""
    if at.astimezone(ZoneInfo(zone)).utcoffset() == at.astimezone(ZoneInfo(here)).utcoffset():
        return ""
    place = Cldr.parse(LANGUAGES[locale]).territories.get(get_global("zone_territories").get(zone), zone)
    return f" (heure locale, {place})" if locale == "fr" else f" (local time, {place})"


def elided(name: str, word: str) -> str:
    """A French word before a name: `d’Emma`, `de Karim`, `qu’Élodie`. Before an h it stays whole: many are aspirated."""
    bare = "".join(each for each in unicodedata.normalize("NFD", name) if not unicodedata.combining(each))
    return f"{word[:-1]}’{name}" if _VOWEL.match(bare) else f"{word} {name}"


class Words(NamedTuple):
    """What writes a date or a number where only a template is at work."""

    months: tuple[str, ...]
    decimal: str


@cache
def words(locale: Locale) -> Words:
    """The names of the months, January first, and the decimal sign."""
    cldr = Cldr.parse(LANGUAGES[locale])
    months = cldr.months["format"]["wide"]
    return Words(tuple(months[index] for index in range(1, 13)), cldr.number_symbols["latn"]["decimal"])


def spoken(name: str, value: Any) -> Any:
    """A parameter of a sentence as both languages write it; anything but a day, a number and a currency unchanged."""
    match value:
        case Decimal():
            grouped = f"{value:,f}"
            return Text(grouped, grouped.translate(FRENCH_SIGNS))
        case datetime():
            return value
        case date():
            return Text(day(value, "en"), day(value, "fr"))
        case str() if name == "currency":
            return Text(value, sign(value, "fr"))
    return value
