"""Articles in a spreadsheet: the columns that an export writes and an import takes, and how people write their values."""

import csv
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from sav_contracts.sentences import Text
from sav_contracts.wrong_value import WrongValue

FAMILIES = {"sanitary": ("sanitaire",), "heating": ("chauffage",), "part": ("pièce", "pièce détachée")}
FUELS = {
    "gas": ("gaz",),
    "oil": ("fioul", "mazout"),
    "wood": ("bois",),
    "electric": ("électrique", "électricité"),
    "heat_pump": ("pompe à chaleur", "PAC"),
    "solar": ("solaire",),
    "gas_hybrid": ("hybride gaz",),
    "oil_hybrid": ("hybride fioul",),
}
HEATS = {
    "space": ("chauffage seul", "chauffage", "locaux"),
    "water": ("eau chaude", "eau chaude sanitaire", "ECS"),
    "space_and_water": ("chauffage et eau chaude", "double service", "mixte"),
}
VAT_CLASSES = {
    "standard": ("normale", "normal", "taux normal"),
    "intermediate": ("intermédiaire", "taux intermédiaire"),
    "reduced": ("réduite", "réduit", "taux réduit"),
}
STATUSES = {"active": ("actif",), "end_of_life": ("fin de vie", "en fin de vie"), "retired": ("retiré",)}
CURRENCIES = {"EUR": ("EUR", "€", "euro"), "TND": ("TND", "DT", "dinar")}

_UNITS = re.compile(r"^(€|eur|dt|tnd)|(€|eur|euros?|dt|tnd|ht|kw|mois|months?|pcs?)+$", re.IGNORECASE)
# As in French, in Switzerland, and as Excel groups the digits of a number.
_GROUPING = re.compile(r"[\s'’]")
_PLUS = re.compile(r"^\+(?=\d)")
_PLAIN = re.compile(r"-?\d+([.,]\d+)?")
_GROUPED = re.compile(r"-?\d{1,3}(([.]\d{3})+,|(,\d{3})+[.])\d+|-?\d{1,3}(([.]\d{3}){2,}|(,\d{3}){2,})")
_SHORTENED = re.compile(r"[+-]?\d+([.,]\d+)?e[+-]?\d+", re.IGNORECASE)
_WHOLE = re.compile(r"(-?\d+)([.,]0{1,2})?")
_ISO_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00(:00)?)?")
_FRENCH_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})( 00:00(:00)?)?")
# Digits of a bar code that a spreadsheet took for a number, so that its leading zeros are lost.
_BAR_CODE = re.compile(r"\d{7,14}")


class NumberShortened(WrongValue):
    code = "number_shortened"
    en = "the spreadsheet has shortened this number: make the column a text column, and write it out"
    fr = "le tableur a abrégé ce nombre : mettez la colonne au format texte et écrivez-le en entier"


class NotThatWord(WrongValue):
    code = "not_that_word"
    words: Text
    en = "one of {words}"
    fr = "l’une de ces valeurs : {words}"


def folded(text: str) -> str:
    """The letters and digits of a name, without case, accents and signs: what people mean by it."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("œ", "oe"))
    words = "".join(
        letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter)
    )
    return " ".join(words.split()) or text.strip()


def _text(cell: str) -> str:
    return cell


def _digits(cell: str) -> str:
    """A number without its unit, its spaces and the plus that the API takes nowhere."""
    return _PLUS.sub("", _UNITS.sub("", _GROUPING.sub("", cell)))


def _number(cell: str) -> str:
    """`1 234,50 €`, `€ 1.234,50` and `1,234.50` are 1234.50; `1,234` and `1.234` have three decimal places."""
    number = _digits(cell)
    if _SHORTENED.fullmatch(number):
        raise NumberShortened().error()
    if _PLAIN.fullmatch(number):
        return number.replace(",", ".")
    if _GROUPED.fullmatch(number):
        last = max(number.rfind("."), number.rfind(","))
        only = number.count(number[last]) > 1
        digits = re.sub("[.,]", "", number[:last])
        return digits + ("" if only else ".") + number[last + 1 :]
    return cell


def _whole(cell: str) -> str:
    number = _digits(cell)
    if found := _WHOLE.fullmatch(number):
        return found[1]
    return cell


def _day(cell: str) -> str:
    cell = cell.strip()
    if found := _ISO_DAY.fullmatch(cell):
        return found[1]
    if found := _FRENCH_DAY.fullmatch(cell):
        return f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    return cell


def _bar_code(cell: str) -> str:
    code = _GROUPING.sub("", cell)
    if _SHORTENED.fullmatch(code):
        raise NumberShortened().error()
    return code.zfill(14) if _BAR_CODE.fullmatch(code) else cell


def _one_of(words: Mapping[str, tuple[str, ...]]) -> Callable[[str], str]:
    known = {folded(word): value for value, french in words.items() for word in (value, *french)}
    expected = Text(", ".join(words), ", ".join(french[0] for french in words.values()))

    def read(cell: str) -> str:
        if (value := known.get(folded(cell))) is None:
            raise NotThatWord(words=expected).error()
        return value

    return read


def references_in(cell: str) -> list[str]:
    """The references in one cell, as `listed` writes them, or between commas, semicolons or on lines of their own."""
    if "|" in cell:
        found = next(csv.reader([cell.replace("\n", " ")], delimiter="|"), [])
    else:
        found = re.split("[,;\n]", cell)
    return list(dict.fromkeys(reference.strip() for reference in found if reference.strip()))


def listed(references: Sequence[str]) -> str:
    """References in one cell, as `references_in` reads them: `CIR-25-60 | JOINT-1`."""
    if any('"' in one or "|" in one for one in references):
        doubled = (one.replace('"', '""') for one in references)
        cell = "|".join(f'"{one}"' for one in doubled)
    else:
        cell = " | ".join(references)
    # A bar at the end says that commas are part of the only one.
    return f"{cell}|" if len(references) == 1 and re.search('[,;"]', cell) else cell


@dataclass(frozen=True)
class Column:
    """A column: the field of `AddArticle` (or `status`), its names, and how its cells are read.

    `read` turns what people write into what the field takes. A cell that it does not know stays as it is, and the field
    refuses it. It raises the error of a `WrongValue` where it can say more.
    """

    field: str
    # The first is what an export writes.
    french: tuple[str, ...]
    read: Callable[[str], Any] = _text
    kind: Literal["text", "amount", "whole", "day"] = "text"
    # The words of a choice, as people read them.
    words: Mapping[str, tuple[str, ...]] | None = None


def _choice(field: str, words: Mapping[str, tuple[str, ...]], *french: str) -> Column:
    return Column(field, french, _one_of(words), words=words)


def _whole_number(field: str, *french: str) -> Column:
    return Column(field, french, _whole, "whole")


COLUMNS = (
    Column("reference", ("référence", "réf", "code article")),
    Column("gtin", ("code-barres", "EAN", "code EAN"), _bar_code),
    Column("name", ("désignation", "nom", "libellé")),
    Column("brand", ("marque", "fabricant")),
    Column("model", ("modèle",)),
    _choice("family", FAMILIES, "famille"),
    Column("description", ("description", "descriptif")),
    _choice("fuel", FUELS, "énergie", "combustible"),
    _choice("heats", HEATS, "usage", "chauffe"),
    Column("power_kw", ("puissance (kW)", "puissance"), _number, "amount"),
    Column("price", ("prix HT", "prix", "prix unitaire HT", "tarif HT"), _number, "amount"),
    _choice("currency", CURRENCIES, "devise", "monnaie"),
    _choice("vat_class", VAT_CLASSES, "TVA", "taux de TVA"),
    _whole_number("warranty_parts_months", "garantie pièces (mois)", "garantie pièces"),
    _whole_number(
        "warranty_labour_months", "garantie main-d’œuvre (mois)", "garantie main-d’œuvre", "garantie MO"
    ),
    Column("spare_parts_until", ("pièces disponibles jusqu’au", "disponibilité des pièces"), _day, "day"),
    Column("compatible_parts", ("pièces compatibles",), references_in),
    _whole_number("minimum_stock", "stock minimum", "stock mini"),
    _choice("status", STATUSES, "statut", "état"),
)


@cache
def _by_name() -> dict[str, Column]:
    return {folded(name): column for column in COLUMNS for name in (column.field, *column.french)}


def column_of(name: str) -> Column | None:
    """The column that people call so: in either language, in any case, with or without accents."""
    return _by_name().get(folded(name))


def cells_of(article: Mapping[str, Any], references: Mapping[str, str]) -> list[str]:
    """The cells of an article as the wire has it; amounts as `2190.00`, days as `2036-12-31`.

    `references`: those of its parts, by id.
    """
    return [_cell(column, article[column.field], references) for column in COLUMNS]


def _cell(column: Column, value: Any, references: Mapping[str, str]) -> str:
    if value is None:
        return ""
    if column.field == "compatible_parts":
        return listed([references[id] for id in value])
    return column.words[value][0] if column.words else str(value)
