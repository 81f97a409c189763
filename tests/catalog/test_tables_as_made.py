"""Tables as people make them: in every program, every encoding and every habit they say the same."""

import codecs
import csv
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import pytest
from given_tables import BOILER, ENGLISH, JOINT, NAMES, ROWS, catalogue, imported, replaced, text, workbook

from sav_chassis.testing import Stage

PRICED = (*BOILER[:6], 2190.5, BOILER[7], datetime(2036, 12, 31), BOILER[9])
AS_NUMBERS = (NAMES, (BOILER[0], 6291041500213, *PRICED[2:]), (*JOINT[:6], 0.35, *JOINT[7:]))
IN_ENGLISH = (
    ENGLISH,
    (*BOILER[:4], "heating", BOILER[5], "2190.50", "reduced", "2036-12-31", "J-1"),
    (*JOINT[:4], "part", JOINT[5], "0.35", "", "", ""),
)
GROUPED = (NAMES, (*BOILER[:6], "2\u202f190,50\u00a0€", *BOILER[7:]), JOINT)


# Each says the same of two articles, as somebody would make it.
AS_PEOPLE_MAKE_THEM: Mapping[str, bytes] = {
    "Excel in France, CSV": text().encode("windows-1252"),
    "Excel in France, CSV UTF-8": codecs.BOM_UTF8 + text().encode(),
    "Excel in France, Unicode text": codecs.BOM_UTF16_LE + text(delimiter="\t").encode("utf-16-le"),
    "Excel in France, text with tabs": text(delimiter="\t").encode("windows-1252"),
    "Excel, with the delimiter in front": b"sep=;\r\n" + text().encode("windows-1252"),
    "an editor, UTF-16 the other way round": codecs.BOM_UTF16_BE + text().encode("utf-16-be"),
    "LibreOffice, everything in quotes": text(delimiter=",", quoting=csv.QUOTE_ALL, end="\n").encode(),
    "LibreOffice, semicolons": text(end="\n").encode(),
    "Google Sheets": text(delimiter=",").encode(),
    "Google Sheets in English": text(IN_ENGLISH, delimiter=",").encode(),
    "Numbers": codecs.BOM_UTF8 + text(end="\n").encode(),
    "an old Mac's line ends": text(end="\r").encode(),
    "grouped thousands and euros": text(GROUPED).encode("utf-8"),
    "grouped thousands as in English": text((NAMES, replaced(BOILER, price="2,190.50"), JOINT)).encode(),
    "headings in capitals, without accents": text(
        (
            tuple(name.upper().replace("É", "E").replace("È", "E").replace("’", "'") for name in NAMES),
            BOILER,
            JOINT,
        )
    ).encode(),
    "other words for the same": text(
        (
            (
                "Réf.",
                "EAN",
                "Libellé",
                "Fabricant",
                "Famille",
                "Descriptif",
                "Tarif HT",
                "Taux de TVA",
                NAMES[8],
                NAMES[9],
            ),
            replaced(BOILER, family="Chauffage", vat_class="Taux réduit", spare_parts_until="31.12.2036"),
            replaced(JOINT, family="PIECE DETACHEE"),
        )
    ).encode(),
    "empty lines and columns all around": text(
        [(), *((*row, "", "", "") for row in ROWS), ("",) * 13, (), ("", " ", "")]
    ).encode(),
    "a column without anything in between": text([(*row[:3], "", *row[3:]) for row in ROWS]).encode(),
    "Excel, with numbers and days": workbook(AS_NUMBERS),
    "Excel, everything a text": workbook(),
    "Excel, not from the first cell on": workbook(AS_NUMBERS, at=(3, 2)),
    "Excel, behind a hidden sheet": workbook(AS_NUMBERS, sheets=("Listes", "Tarif")),
    "Excel, formatted to the last row": workbook(AS_NUMBERS, to_the_end=True),
    "Excel, with formats": workbook(AS_NUMBERS, formats={1: "0000000000000", 6: '#,##0.00\\ "€"'}),
    "Excel, with formulas": workbook(
        (
            NAMES,
            (*AS_NUMBERS[1][:6], ("=", "=1460.3333333333333*1.5", 2190.4999999999999), *AS_NUMBERS[1][7:]),
            (*JOINT[:6], ("=", "=0.1+0.25", 0.35000000000000003), *JOINT[7:]),
        )
    ),
}


def test_there_are_enough_of_them() -> None:
    assert len(AS_PEOPLE_MAKE_THEM) >= 20


@pytest.mark.parametrize("content", AS_PEOPLE_MAKE_THEM.values(), ids=AS_PEOPLE_MAKE_THEM)
async def test_a_table_is_read_as_people_make_it(stage: Stage, content: bytes) -> None:
    done = await imported(stage, content)
    assert (done.status, done.lines, done.checked, done.imported, done.wrong) == ("done", 2, 2, 2, 0)
    assert (done.added, done.updated, done.unchanged) == (2, 0, 0)
    found = await catalogue(stage)
    boiler, joint = found["LUM-24-C"], found["J-1"]
    assert (boiler["gtin"], boiler["name"]) == ("06291041500213", "Chaudière « Lumea » 24")
    assert (boiler["family"], boiler["price"], boiler["vat_class"]) == (
        "heating",
        Decimal("2190.50"),
        "reduced",
    )
    assert boiler["description"] == "Murale, à condensation ; 24 kW"
    assert boiler["spare_parts_until"] == date(2036, 12, 31)
    assert boiler["compatible_parts"] == [joint["id"]]
    assert (joint["gtin"], joint["name"]) == (None, 'Joint d’étanchéité 3/4"')
    assert (joint["family"], joint["price"], joint["vat_class"]) == ("part", Decimal("0.35"), "standard")
    assert (joint["description"], joint["spare_parts_until"]) == ("Ø 20 mm", None)


@pytest.mark.parametrize("content", AS_PEOPLE_MAKE_THEM.values(), ids=AS_PEOPLE_MAKE_THEM)
async def test_the_same_again_changes_nothing(stage: Stage, content: bytes) -> None:
    await imported(stage, text())
    before = await catalogue(stage)
    again = await imported(stage, content)
    assert (again.status, again.added, again.updated, again.unchanged) == ("done", 0, 0, 2)
    assert await catalogue(stage) == before
