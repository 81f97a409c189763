"""How messages read: templates in two languages, dates and amounts as people write them, plain text and HTML."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape

from sav_contracts.auth.fields import Locale

HERE = "Europe/Paris"
NBSP = "\N{NO-BREAK SPACE}"
WARNING_SIGN = "\N{WARNING SIGN}"
DAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = {
    "fr": (
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
SIGNS = {"EUR": "€", "TND": "DT"}
GREETING = {"fr": "Bonjour {name},", "en": "Hello {name},"}


class Rendered(NamedTuple):
    """A message as it is read."""

    subject: str
    text: str
    html: str


class Block(NamedTuple):
    """A piece of a message: a paragraph, a warning, a list, or a link that stands alone."""

    kind: str
    lines: list[str]


def subject_of(template: str, locale: Locale, facts: Mapping[str, Any]) -> str:
    """The first line of a message; it needs nothing that is only known when it is sent."""
    return _parts(template, locale)[0].render(facts)


def rendered(template: str, locale: Locale, name: str, facts: Mapping[str, Any]) -> Rendered:
    """A message to somebody of that name. `UndefinedError` where its template asks for a fact that is not there."""
    subject, body, closing = (part.render(facts) for part in _parts(template, locale))
    text = "\n\n".join((GREETING[locale].format(name=_on_one_line(name)), body, closing))
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    page = _environment(locale).get_template("layout.html")
    return Rendered(subject, text, page.render(facts, locale=locale, subject=subject, blocks=_blocks(text)))


@cache
def _parts(template: str, locale: Locale) -> tuple[Template, Template, Template]:
    """Subject and body of a template, and what every message ends with."""
    environment = _environment(locale)
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, f"{template}.{locale}.txt")
    subject, body = source.split("\n", 1)
    closing = environment.get_template(f"closing.{locale}.txt")
    return environment.from_string(subject), environment.from_string(body), closing


def _blocks(text: str) -> list[Block]:
    *pieces, last = (piece.splitlines() for piece in text.strip().split("\n\n"))
    return [*map(_block, pieces), Block("small", last)]


def _block(lines: list[str]) -> Block:
    if all(line.startswith("- ") for line in lines):
        return Block("list", [line.removeprefix("- ") for line in lines])
    if len(lines) == 1 and re.fullmatch(r"https?://\S+", lines[0]):
        return Block("link", lines)
    if lines[0].startswith(WARNING_SIGN):
        return Block("warning", lines)
    return Block("paragraph", lines)


@cache
def _environment(locale: Locale) -> Environment:
    environment = Environment(
        loader=PackageLoader("sav_notifier"),
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_on_one_line,
    )

    def day(value: str, zone: str = HERE) -> str:
        return _day(_date_of(value, zone), locale)

    def plain_date(value: str, zone: str = HERE) -> str:
        return _date(_date_of(value, zone), locale)

    def amount(value: str, currency: str) -> str:
        return _amount(value, currency, locale)

    def window(start: str, end: str, zone: str = HERE) -> str:
        return _window(start, end, zone, locale, between=True)

    def span(start: str, end: str, zone: str = HERE) -> str:
        return _window(start, end, zone, locale, between=False)

    def moment(value: str, zone: str = HERE) -> str:
        return _moment(value, zone, locale)

    environment.filters |= {"day": day, "date": plain_date, "moment": moment, "amount": amount}
    environment.globals |= {"window": window, "span": span}
    return environment


def _on_one_line(value: Any) -> Any:
    # What people wrote must not look like another paragraph of ours.
    return re.sub(r"[\r\n\t\x85\u2028\u2029]+", " ", value) if type(value) is str else value


def _date_of(value: str, zone: str) -> date:
    """The day of a date, or of a time as people in that zone read it."""
    if len(value) == len("2026-11-24"):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).date()


def _date(on: date, locale: Locale) -> str:
    first = "er" if locale == "fr" and on.day == 1 else ""
    return f"{on.day}{first} {MONTHS[locale][on.month - 1]} {on.year}"


def _day(on: date, locale: Locale) -> str:
    return f"{DAYS[locale][on.weekday()]} {_date(on, locale)}"


def _hour(at: datetime, locale: Locale) -> str:
    if locale == "en":
        return f"{at.hour}:{at.minute:02}"
    return f"{at.hour}{NBSP}h" + (f"{NBSP}{at.minute:02}" if at.minute else "")


def _moment(value: str, zone: str, locale: Locale) -> str:
    at = datetime.fromisoformat(value).astimezone(ZoneInfo(zone))
    return f"{_day(at.date(), locale)} {'à' if locale == 'fr' else 'at'} {_hour(at, locale)}"


def _window(start: str, end: str, zone: str, locale: Locale, between: bool) -> str:
    """`mardi 24 novembre 2026, entre 9 h et 10 h`, or `de 9 h à 10 h` where it is the whole time."""
    begins, ends = (datetime.fromisoformat(at).astimezone(ZoneInfo(zone)) for at in (start, end))
    words = {
        ("fr", True): ("entre", "et"),
        ("fr", False): ("de", "à"),
        ("en", True): ("between", "and"),
        ("en", False): ("from", "to"),
    }[locale, between]
    until = _hour(ends, locale)
    if ends.date() != begins.date():
        until = f"{_day(ends.date(), locale)}, {until}"
    return f"{_day(begins.date(), locale)}, {words[0]} {_hour(begins, locale)} {words[1]} {until}"


def _amount(value: str, currency: str, locale: Locale) -> str:
    digits = f"{Decimal(value):,.2f}"
    if locale == "en":
        return f"€{digits}" if currency == "EUR" else f"{currency}{NBSP}{digits}"
    return digits.replace(",", NBSP).replace(".", ",") + NBSP + SIGNS[currency]
