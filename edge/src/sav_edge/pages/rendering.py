"""A small page as HTML, in one of the two languages. What people typed is only ever text in it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from sav_chassis import written
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.invoice import Seller
from sav_contracts.sentences import Text
from sav_contracts.time_zone import CENTRAL
from sav_edge.pages.page import LANGUAGE, Notice, Page

# What every page says.
WORDS = {
    "other_language": Text("Français", "English"),
    "other_link": Text("Ask for another link", "Demander un autre lien"),
    "please_check": Text("Please check what you have typed", "Vérifiez votre saisie"),
    "not_done": Text("That did not work", "Cela n’a pas fonctionné"),
    "away": Text(
        "We cannot do this just now. Please try again in a moment.",
        "Nous ne pouvons pas le faire pour l’instant. Réessayez dans un instant.",
    ),
    "optional": Text("optional", "facultatif"),
}


def style() -> bytes:
    """The stylesheet of all pages."""
    return (files("sav_edge") / "templates" / "pages" / "look.css").read_bytes()


def rendered(
    page: Page | Notice,
    french: bool,
    firm: Seller,
    *,
    logo: bool = False,
    token: str = "",
    once: str = "",
    typed: Mapping[str, str] | None = None,
    picked: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    refusal: str = "",
    state: str = "form",
    shown: Any = None,
) -> bytes:
    """The page as `state` says: its `form`, that it is `done`, or that it is `refused` for good.

    `typed` is filled in again, but for passwords; `wrong` says by field what is wrong; `shown` is what the page is about,
    as far as it was `picked`.
    With `logo` the firm's stands above its name.
    """
    about = {page.key: token} if token else {}
    other = {**about, **(picked or {}), LANGUAGE: "en" if french else "fr"}
    locale: Locale = "fr" if french else "en"
    return (
        _templates()
        .get_template(page.template)
        .render(
            page=page,
            locale=locale,
            other_locale="en" if french else "fr",
            other_query=urlencode(other),
            query=urlencode({page.key: token, LANGUAGE: locale}),
            say=lambda text: text.fr if french else text.en,
            words=WORDS,
            texts=page.texts,
            money=lambda amount, currency: written.money(Decimal(amount), currency, locale),
            number=lambda value: written.number(Decimal(value), locale),
            day=lambda on: written.day(date.fromisoformat(on), locale),
            window=lambda start, end, zone: _window(start, end, zone, locale),
            firm=firm,
            logo=logo,
            token=token,
            once=once,
            typed=typed or {},
            picked=picked or {},
            wrong=wrong or {},
            refusal=refusal,
            state=state,
            shown=shown,
        )
        .encode()
    )


def _window(start: str, end: str, zone: str, locale: Locale) -> str:
    """A time as it is read where that zone is."""
    begins, ends = (datetime.fromisoformat(each).astimezone(ZoneInfo(zone)) for each in (start, end))
    return written.window(begins, ends, locale) + written.where_clocks_differ(begins, zone, CENTRAL, locale)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("sav_edge", "templates/pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["sum_of"] = _sum_of
    return made


def _sum_of(parts: Sequence[Mapping[str, str | None]], name: str) -> Decimal:
    return sum((Decimal(part[name] or 0) for part in parts), Decimal())
