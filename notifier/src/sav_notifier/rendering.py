"""Renders messages from templates in two languages, as text and HTML, with dates and amounts as people write them."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, get_args
from zoneinfo import ZoneInfo

from jinja2 import (
    ChoiceLoader,
    Environment,
    PackageLoader,
    StrictUndefined,
    Template,
    meta,
    select_autoescape,
)

from sav_chassis import written
from sav_chassis.written import day as plain_day
from sav_chassis.written import day_of_week, elided, money, weekdays
from sav_contracts.auth.fields import Locale
from sav_contracts.claims.intake import PreferredDay
from sav_contracts.claims.safety import Danger, instructions
from sav_contracts.money import Currency
from sav_notifier.user_text import isolated, one_line
from sav_notifier.zones import HERE

# The texts of messages, and the parts that they share.
TEXTS = ("messages", "templates")
WARNING_SIGN = "\N{WARNING SIGN}"
WEEKDAYS = get_args(PreferredDay)
PARTS = {
    "fr": {"morning": "le matin", "afternoon": "l’après-midi", "evening": "le soir"},
    "en": {"morning": "in the morning", "afternoon": "in the afternoon", "evening": "in the evening"},
}
GREETING = {"fr": "Bonjour {name},", "en": "Hello {name},"}
# What a reference is of, by language: the noun, and the noun with its article. A visit for no réclamation has its own.
OF_VISIT = "INT-"
NOUNS: dict[Locale, dict[bool, tuple[str, str]]] = {
    "fr": {True: ("intervention", "l’intervention"), False: ("réclamation", "la réclamation")},
    "en": {True: ("visit", "visit"), False: ("claim", "claim")},
}
# Marks the start of each value in a rendered text until it is split into blocks; no value contains it. So only the
# templates make lists and warnings.
VALUE = "\0"


class Rendered(NamedTuple):
    """A message as it is read."""

    subject: str
    text: str
    html: str


class Line(str):
    """A line of a rendered text, in which values are safe already."""


class Block(NamedTuple):
    """A piece of a message: a paragraph, a warning, a list, or a link that stands alone."""

    kind: str
    lines: list[Line]


def subject_of(template: str, locale: Locale, facts: Mapping[str, Any]) -> str:
    """The subject, a template's first line. It uses no fact that is only known when the message is sent."""
    return _parts(template, locale)[0].render(facts).replace(VALUE, "")


def rendered(template: str, locale: Locale, name: str, facts: Mapping[str, Any]) -> Rendered:
    """A message to somebody of that name; `UndefinedError` where its template uses a fact that is missing."""
    subject, body, closing = (part.render(facts) for part in _parts(template, locale))
    text = "\n\n".join((GREETING[locale].format(name=isolated(one_line(name))), body, closing))
    text = re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"
    page = _environment(locale).get_template("layout.html")
    blocks = _blocks(text, facts.get("link"))
    subject = Line(subject.replace(VALUE, ""))
    html = page.render(facts, locale=locale, subject=subject, blocks=blocks)
    return Rendered(subject, text.replace(VALUE, ""), html.replace(VALUE, ""))


def words_of(template: str, locale: Locale) -> set[str]:
    """The facts that the text of a message uses, with those of the parts that it includes."""
    environment = _environment(locale)
    assert environment.loader is not None
    found, files = set[str](), [f"{template}.{locale}.txt", f"closing.{locale}.txt", "layout.html"]
    for file in files:
        parsed = environment.parse(environment.loader.get_source(environment, file)[0])
        found |= meta.find_undeclared_variables(parsed)
        files += [each for each in meta.find_referenced_templates(parsed) if each]
    return found - environment.globals.keys()


@cache
def _parts(template: str, locale: Locale) -> tuple[Template, Template, Template]:
    """Subject and body of a template, and what every message ends with."""
    environment = _environment(locale)
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, f"{template}.{locale}.txt")
    subject, body = source.split("\n", 1)
    closing = environment.get_template(f"closing.{locale}.txt")
    return environment.from_string(subject), environment.from_string(body), closing


def _blocks(text: str, link: str | None) -> list[Block]:
    *pieces, last = ([Line(line) for line in piece.split("\n")] for piece in text.strip().split("\n\n"))
    return [*(_block(piece, link) for piece in pieces), Block("small", last)]


def _block(lines: list[Line], link: str | None) -> Block:
    if all(line.startswith("- ") for line in lines):
        return Block("list", [Line(line.removeprefix("- ")) for line in lines])
    if link and lines == [VALUE + link]:
        return Block("link", [Line(link)])
    if lines[0].startswith(WARNING_SIGN):
        return Block("warning", lines)
    return Block("paragraph", lines)


@cache
def _environment(locale: Locale) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("sav_notifier", each) for each in TEXTS]),
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_value,
    )

    def day(value: str, zone: str = HERE) -> str:
        return day_of_week(_date_of(value, zone), locale)

    def plain_date(value: str, zone: str = HERE) -> str:
        return plain_day(_date_of(value, zone), locale)

    def amount(value: str, currency: Currency) -> str:
        return money(Decimal(value), currency, locale)

    def window(start: str, end: str, zone: str = HERE) -> str:
        return _window(start, end, zone, locale, between=True)

    def span(start: str, end: str, zone: str = HERE) -> str:
        return _window(start, end, zone, locale, between=False)

    def moment(value: str, zone: str = HERE) -> str:
        return own_moment(value, zone) + _where(value, zone, locale)

    def own_moment(value: str, zone: str) -> str:
        # On the clock of its reader: they need not be told whose it is.
        return written.moment(_clock(value, zone), locale)

    def hour(value: str, zone: str = HERE) -> str:
        return written.hour(_clock(value, zone), locale)

    def there(value: str, zone: str, here: str) -> str:
        return written.where_clocks_differ(datetime.fromisoformat(value), zone, here, locale)

    def wish(time: Mapping[str, Any]) -> str:
        return _wish(time, locale)

    def advice(sign: Danger, country: str) -> dict[str, Any]:
        [found] = instructions([sign], country)
        return {
            "heading": getattr(found.heading, locale),
            "steps": [getattr(each, locale) for each in found.steps],
        }

    def noun(reference: str) -> str:
        return NOUNS[locale][_is_of_visit(reference)][0].capitalize()

    def named(reference: str) -> str:
        return f"{NOUNS[locale][_is_of_visit(reference)][0]} {reference}"

    def the(reference: str) -> str:
        return f"{NOUNS[locale][_is_of_visit(reference)][1]} {reference}"

    def for_claim(reference: str) -> str:
        # After the word for a visit or its report.
        if _is_of_visit(reference):
            return reference
        return f"{'pour' if locale == 'fr' else 'for'} {the(reference)}"

    environment.tests["visit"] = _is_of_visit
    environment.filters |= {
        "noun": noun,
        "named": named,
        "the": the,
        "for_claim": for_claim,
        "elided": elided,
    }
    environment.filters |= {
        "day": day,
        "date": plain_date,
        "hour": hour,
        "moment": moment,
        "own_moment": own_moment,
    }
    environment.filters |= {"amount": amount, "wish": wish}
    environment.globals |= {"window": window, "span": span, "there": there, "advice": advice}
    return environment


def _is_of_visit(reference: str) -> bool:
    return reference.startswith(OF_VISIT)


def _value(value: Any) -> Any:
    # What people wrote must not look like another paragraph of ours.
    return VALUE + isolated(one_line(value)) if type(value) is str else value


def _date_of(value: str, zone: str) -> date:
    """The day of a date, or of a time as people in that zone read it."""
    if len(value) == len("2026-11-24"):
        return date.fromisoformat(value)
    return _clock(value, zone).date()


def _clock(value: str, zone: str) -> datetime:
    """A time in that zone; unchanged where the conversion overflows, in the last year that Python knows."""
    at = datetime.fromisoformat(value)
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:
        return at


def _wish(time: Mapping[str, Any], locale: Locale) -> str:
    """When a visit would suit: `le mardi, le matin`, `mardi 24 novembre 2026`."""
    if time["weekday"]:
        day = weekdays(locale)[WEEKDAYS.index(time["weekday"])]
        said = f"le {day}" if locale == "fr" else f"on {day}s"
    else:
        said = day_of_week(date.fromisoformat(time["on"]), locale)
    return f"{said}, {PARTS[locale][time['part']]}" if time["part"] else said


def _window(start: str, end: str, zone: str, locale: Locale, between: bool) -> str:
    return written.window(_clock(start, zone), _clock(end, zone), locale, between) + _where(
        start, zone, locale
    )


def _where(value: str, zone: str, locale: Locale) -> str:
    """Where a time is read, if that is not on the firm's clock."""
    try:
        return written.where_clocks_differ(datetime.fromisoformat(value), zone, HERE, locale)
    except OverflowError:  # near the last year that Python knows
        return ""
