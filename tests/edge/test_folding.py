"""The folding: whatever looks alike to people is one text, and every text is found by what people type of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sav_edge.folding import LONGEST, SMALL, asked, fold, lexemes, numbered, order, query


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Cœur", "coeur"),
        ("ÉLÈVE", "eleve"),
        ("Élève", "E\u0301le\u0300ve"),
        ("d’essai", "d'essai"),
        ("d‘essai", "d'essai"),
        ("sèche–serviettes", "seche-serviettes"),
        ("24\u00a0kW", "24 kw"),
        ("24\u202fkW", " 24  kW "),
        ("ﬁltre", "filtre"),
        ("２４ ｋＷ", "24 kw"),
        ("Straße", "strasse"),
        ("Ægir Øst", "aegir ost"),
        ("½", "1/2"),
        ("24×40", "24x40"),
        ("l´évier", "l'evier"),
        ("م", "م"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_what_looks_alike_is_one_text(written: str, typed: str) -> None:
    assert fold(written) == fold(typed)


def test_names_are_sorted_by_their_letters_then_as_written() -> None:
    names = [
        "Pwn",
        "Émile",
        "zoé",
        "Emile",
        "Œuvrard",
        "Oetker",
        "emile",
        "Émile Zola",
        "de Gaulle",
        "De Gaulle",
    ]
    assert sorted(names, key=order) == [
        "De Gaulle",
        "de Gaulle",
        "Emile",
        "emile",
        "Émile",
        "Émile Zola",
        "Oetker",
        "Œuvrard",
        "Pwn",
        "zoé",
    ]


def finds(typed: str, written: str) -> bool:
    """What PostgreSQL makes of the query of these words, on the lexemes of that text."""
    stored = lexemes([written])

    def occurs(part: str) -> bool:
        text = part.strip("() ")
        beginning = text.removesuffix(":*").strip("'")
        return any(
            lexeme.startswith(beginning) if text.endswith(":*") else lexeme == beginning for lexeme in stored
        )

    def holds(condition: str) -> bool:
        return all(map(occurs, condition.split("&")))

    return all(any(map(holds, query(word).split("|"))) for word in asked(typed))


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("REC-2026-000042", "REC-2026-000042"),
        ("rec2026000042", "REC-2026-000042"),
        ("rec 2026 42", "REC-2026-000042"),
        ("2026-000042", "REC-2026-000042"),
        ("42", "REC-2026-000042"),
        ("LUM24 0007431", "LUM24-0007431"),
        ("lum 24 7431", "LUM24-0007431"),
        ("LUM240007431", "LUM24-0007431"),
        ("06 12 34 56 78", "+33612345678"),
        ("0612345678", "+33612345678"),
        ("06.12.34", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("71 123 456", "+21671123456"),
        ("33 6 12", "+33 6 12 34 56 78"),
        ("000042", "REC-2026-000042"),
        ("rec 000042", "REC-2026-000042"),
        ("npac8", "N°PAC8.0042"),
        ("45c", "45°C"),
        ("45 c", "45 °C"),
        ("24 kw", "Chaudière 24kW"),
        ("24kW", "Chaudière 24 kW"),
        ("dessai", "bouton d’essai"),
        ("chaud mur", "chaudière murale"),
        ("lea@example", "lea@example.com"),
        ("24x40", "Vase 24×40"),
        ("24 x 40", "Vase 24×40"),
        ("24×40", "Vase 24x40"),
        ("dupont et fils", "Dupont & Fils"),
        ("dupont and", "Dupont & Fils"),
        ("dupont & fils", "Dupont et Fils"),
        ("et", "étage"),
        ("dupont et", "Dupont, à l’étage"),
        ("évier", "sous l’évier"),
        ("l'évier", "évier bouché"),
        ("dangelo", "D’Angelo"),
        ("d angelo", "D’Angelo"),
        ("d'angelo", "Dangelo"),
        ("panne de la chaudière", "chaudière en panne"),
        ("M. Dupont", "Jean Dupont"),
        ("M.Dupont", "Jean Dupont"),
        ("Mme et M. Dupont", "Jean Dupont"),
        ("saint etienne", "St-Étienne"),
        ("st étienne", "Saint-Étienne"),
        ("boulevard foch", "Bd Foch"),
        ("bd foch", "boulevard Foch"),
        ("avenue foch", "av. Foch"),
        ("fuite de", "Une fuite sous le lavabo"),
        ("le", "M. Le Goff"),
    ],
)
def test_references_and_numbers_are_found_in_any_form(typed: str, written: str) -> None:
    assert finds(typed, written)


def test_a_long_text_keeps_no_small_words() -> None:
    text = "Depuis hier la chaudière se met en sécurité et le manomètre de la cuisine est tombé à zéro bar."
    assert not SMALL & set(lexemes([text]))
    assert finds("la chaudière et le manomètre", text)
    assert finds("manomètre de", text)
    assert finds("tombé à zéro", text)
    assert finds("chaudière de 24 kW", "chaudière 24 kW")


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("r6", "Mitigeur R1, 3 rue des Lilas, 69100 Villeurbanne"),
        ("v3", "Vanne à 3 voies, 33000 Bordeaux"),
        ("24kw", "Chaudière 240 kWh"),
        ("5bis", "12 bis rue de Lyon, 59000 Lille"),
    ],
)
def test_a_letter_and_a_digit_somewhere_are_no_mark(typed: str, written: str) -> None:
    assert not finds(typed, written)


FRENCH_NUMBER = [
    "06 12 34 56 78", "0612345678", "06.12.34.56.78", "06-12-34-56-78", "06/12/34/56/78", "06–12–34–56–78",
    "06 1234 5678", "0612 345 678", "06 12345678", "061 2345678", "(06) 12 34 56 78", "06,12,34,56,78", "０６１２３４５６７８",
    "+33612345678", "+33 6 12 34 56 78", "+33 612345678", "+33 6 12345678", "+33 (0)6 12 34 56 78", "+33(0)612345678",
    "(+33) 6 12 34 56 78", "+33.6.12.34.56.78", "+33-6-12-34-56-78", "+ 33 6 12 34 56 78",
    "0033612345678", "0033 6 12 34 56 78", "00 33 6 12 34 56 78", "0033(0)612345678", "00 33 (0)6 12 34 56 78",
    "00336 12345678", "33612345678", "33 6 12 34 56 78", "612345678", "6 12 34 56 78", "06 12 34", "0612",
    "06\u00a012\u00a034\u00a056\u00a078", "06\u202f12\u202f34\u202f56\u202f78", "\u202a+33612345678\u202c",
]  # fmt: skip
TUNISIAN_NUMBER = [
    "71 123 456", "71123456", "71.123.456", "71-123-456", "71 12 34 56", "+216 71 123 456", "+21671123456",
    "+216 71123456", "+216 71 123456", "(+216) 71 123 456", "+216.71.123.456", "00216 71 123 456", "00 216 71 123 456",
    "0021671123456", "00216 71123456", "00216-71-123-456", "216 71 123 456", "21671123456", "(216) 71 123 456",
]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        *((typed, "+33612345678") for typed in FRENCH_NUMBER),
        *((typed, "+21671123456") for typed in TUNISIAN_NUMBER),
        *((typed, "+262692123456") for typed in ("0692 12 34 56", "+262 692 12 34 56", "00262692123456")),
    ],
)
def test_a_telephone_number_is_found_in_any_form(typed: str, written: str) -> None:
    assert finds(typed, written)
    # Another digit at its end is another number.
    other = typed.rstrip("\u202c")
    last = {"8": "9", "6": "7", "４": "５", "８": "９", "4": "5", "2": "3"}[other[-1]]
    assert not finds(f"{other[:-1]}{last}", written)


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("43", "REC-2026-000042"),
        ("000003", "+33612345678"),
        ("000004", "REC-2026-000042"),
        ("0713", "+33612345678"),
        ("udi", "audit"),
        ("dupont 200", "M 200"),
        ("m 200", "200 litres"),
        ("dupont l", "Dupont"),
    ],
)
def test_what_does_not_occur_is_not_found(typed: str, written: str) -> None:
    assert not finds(typed, written)


@pytest.mark.parametrize(
    "typed", ["rec 2026 1", "REC-2026-1", "rec2026-1", "REC-2026-000001", "REC2026000001", "ʀᴇᴄ–2026–1"]
)
def test_a_reference_is_known_in_any_form(typed: str) -> None:
    assert [word.parts for word in [numbered(typed)] if word] == [("rec2026000001",)]


@pytest.mark.parametrize(
    "typed", ["rec 2026", "rec-2026-0000", "2026-1", "rec 1999 1", "rec 2026 1 dupont", "rec 2026 1234567"]
)
def test_what_may_be_the_beginning_of_several_is_no_reference(typed: str) -> None:
    assert numbered(typed) is None


@given(st.text(max_size=60))
def test_every_text_is_found_by_itself_and_stored_in_plain_letters_and_digits(text: str) -> None:
    assert finds(text, text)
    assert fold(fold(text)) == fold(text)
    assert all(re.fullmatch(f"[a-z0-9]{{1,{LONGEST}}}", lexeme) for lexeme in lexemes([text]))
