"""Canonical forms: which text becomes which, what is refused, and who makes them: commands and filters, nobody else."""

from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, SecretStr, TypeAdapter, ValidationError

from sav_contracts import canonical, message_types
from sav_contracts.address import Postcode
from sav_contracts.auth.fields import Code, Email, KnownPassword, Password, Phone
from sav_contracts.catalog.article import Gtin
from sav_contracts.messages import ComparedAs, Line, Prose, Reason, Reference, Serial
from sav_contracts.surface import SURFACE, ListRow

RAINBOW = "\N{WAVING WHITE FLAG}\ufe0f\u200d\N{RAINBOW}"
FAMILY = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"
# "I want" in Persian: without the non-joiner it is spelled wrong.
PERSIAN = "می\u200cخواهم"
FORMS: dict[str, tuple[Any, dict[str, str]]] = {
    "email": (
        Email,
        {
            "LEA@example.com": "lea@example.com",
            " lea@EXAMPLE.com ": "lea@example.com",
            "max@straße.example": "max@xn--strae-oqa.example",
            "Max@XN--STRAE-OQA.example": "max@xn--strae-oqa.example",
            "max@strasse.example": "max@strasse.example",
            "lea@ＥＸＡＭＰＬＥ。com": "lea@example.com",
            # Joiners where letters need them, as A-labels too.
            f"lea@{PERSIAN}.example": "lea@xn--mgbn2ecje63gr19l.example",
            "lea@XN--mgbn2ecje63gr19l.example": "lea@xn--mgbn2ecje63gr19l.example",
            "lea@क्\u200dष.example": "lea@xn--11b2ezcw70k.example",
            "e\u0301@example.com": "é@example.com",
            # Small letters, not folded ones: `ß` is no `ss`, and `İ` no `i`.
            "STRAẞE@example.com": "straße@example.com",
            "strasse@example.com": "strasse@example.com",
            "\u0130@example.com": "i\u0307@example.com",
            "ΣΑΣ@example.com": "σας@example.com",
            # The Kelvin sign is the letter K itself (Unicode, canonical equivalence).
            "\u212a@example.com": "k@example.com",
        },
    ),
    "phone": (
        Phone,
        {
            "06 12 34 56 78": "+33612345678",
            "0033 6 12 34 56 78": "+33612345678",
            "+33 6 12 34 56 78": "+33612345678",
            "+33 (0)6.12.34.56.78": "+33612345678",
            "06\u00a012\u202f34\u201156/78": "+33612345678",
            "\u202a+33612345678\u202c": "+33612345678",
            "0692 12 34 56": "+262692123456",
            "0508 41 12 34": "+508411234",
            "+33 508 41 12 34": "+508411234",
            "+508 41 12 34": "+508411234",
            "0708 40 12 34": "+508708401234",
            "+33 692 12 34 56": "+262692123456",
            "+262 692 12 34 56": "+262692123456",
            "0262 12 34 56": "+262262123456",
            "0590 27 12 34": "+590590271234",
            "0696 12 34 56": "+596696123456",
            "0694 20 12 34": "+594694201234",
            "0269 61 12 34": "+262269611234",
            "0806 12 34 56": "+33806123456",
            "+216 71 234 567": "+21671234567",
            "00216 71 234 567": "+21671234567",
        },
    ),
    "gtin": (
        Gtin,
        {
            "6291041500213": "06291041500213",
            "06291041500213": "06291041500213",
            "629 1041 500213": "06291041500213",
            "６２９１０４１５００２１３": "06291041500213",
            "73513537": "00000073513537",
            "036000291452": "00036000291452",
            "0036000291452": "00036000291452",
            "10012345000017": "10012345000017",
        },
    ),
    "serial": (
        Serial,
        {
            "sn 42": "SN42",
            "SN\u00a042": "SN42",
            "s\u200bn42\ufeff": "SN42",
            "ＳＮ４２": "SN42",
            "SN\u201142": "SN-42",
            "sn – 42": "SN-42",
        },
    ),
    "reference": (
        Reference,
        {
            "rec-2026-000001": "REC-2026-000001",
            " vito  dens ": "VITO DENS",
            "mit-e\u0301": "MIT-É",
            "ＭＩＴ\u20111": "MIT-1",
        },
    ),
    "postcode": (Postcode, {"75 002": "75002", "75002": "75002", "sw1a  1aa": "SW1A 1AA"}),
    "line": (
        Line,
        {
            " Léa   Bernard ": "Léa Bernard",
            "Le\u0301a\u00a0Bernard": "Léa Bernard",
            "Léa\u200b Ber\u00adnard\ufeff": "Léa Bernard",
            "\u202eLéa": "Léa",
            "a\u2066b\u2069": "ab",
            "Léa\ufe0f": "Léa",
            "x\u200dy": "xy",
            PERSIAN: PERSIAN,
            f"chez {FAMILY}": f"chez {FAMILY}",
            RAINBOW: RAINBOW,
            "1\ufe0f\u20e3 rue": "1\ufe0f\u20e3 rue",
            "\N{HEAVY BLACK HEART}\ufe0f": "\N{HEAVY BLACK HEART}\ufe0f",
        },
    ),
    "prose": (
        Prose,
        {
            " un\r\ndeux\u2028trois\x85 ": "un\ndeux\ntrois",
            "e\u0301\u200b :\u00a05  bar": "é :\u00a05  bar",
            "a\u202eb\tc": "ab\tc",
            PERSIAN: PERSIAN,
        },
    ),
    "reason": (Reason, {" e\u0301 ": "é"}),
}
REFUSED: dict[str, tuple[Any, list[str]]] = {
    "email": (
        Email,
        [
            *(
                "",
                "lea",
                "Léa <lea@example.com>",
                "lea@example.com.",
                '"lea b"@example.com',
                "l\u200bea@example.com",
                f"{'l' * 65}@example.com",
            ),
            *(
                "ｌｅａ@example.com",
                "ﬁ@example.com",
                # Mail programs would read another mailbox.
                "=?utf-8?b?eA==?=@example.com",
                "\u017f@example.com",
                "lea@[192.0.2.1]",
                "lea@localhost",
            ),
            *(
                "lea@exa\u200dmple.com",
                "lea@exa\u200cmple.com",
                "lea@xn--example-b06c.com",
                f"l\u200cea@{PERSIAN}.example",
                "lea@xn--\u200c.example",
                "lea@exa mple.com",
                "lea@\N{SNOWMAN}.example",
                f"{'a' * 250}@example.com",
            ),
            "lea(comment)@example.com",
        ],
    ),
    "phone": (
        Phone,
        [
            *("", "+999999999", "112", "3631", "+33", "12 34 56 78", "06 12 34 56 7", "71 234 567"),
            *("06 12 34 56 78 ext 5", "+33612345678;ext=5", "1-800-FLOWERS", "tel:+33612345678", "1" * 5000),
        ],
    ),
    "gtin": (Gtin, ["", "123", "6291041500214", "036000291425", "629104150021X", "6" * 14]),
    "serial": (Serial, ["", "\u200b", " ", "a\x00b", "a\nb", "a" * 61]),
    "reference": (Reference, ["", "\u2060", "a\tb", "a" * 41]),
    "postcode": (Postcode, ["", "1" * 13, "7\x0705"]),
    "line": (
        Line,
        ["", " ", "\u200b\u00ad", "a\nb", "a\tb", "a\x85b", "a\x9bb", "a\x00", "a\uffff", "a" * 201],
    ),
    "prose": (Prose, ["", "\u200e", "a\x1b[2J", "a\x0bb", "a\x9bb", "\u200b" * 50_000]),
}


@pytest.mark.parametrize(("type_", "typed", "form"), [
    pytest.param(type_, typed, form, id=f"{name}-{typed!a}")
    for name, (type_, forms) in FORMS.items() for typed, form in forms.items()
])  # fmt: skip
def test_what_is_typed_has_one_form(type_: Any, typed: str, form: str) -> None:
    adapter = TypeAdapter(type_)
    assert adapter.validate_python(typed) == form
    assert adapter.validate_python(form) == form


@pytest.mark.parametrize(("type_", "typed"), [
    pytest.param(type_, typed, id=f"{name}-{typed[:40]!a}")
    for name, (type_, wrong) in REFUSED.items() for typed in wrong
])  # fmt: skip
def test_what_has_no_form_is_refused(type_: Any, typed: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(type_).validate_python(typed)


def test_a_number_nobody_can_have_is_refused_in_a_plain_sentence() -> None:
    with pytest.raises(ValidationError) as refusal:
        TypeAdapter(Phone).validate_python("+999999999")
    [wrong] = refusal.value.errors()
    assert wrong["msg"].endswith("a telephone number, such as 06 12 34 56 78 or +33 6 12 34 56 78")


@pytest.mark.parametrize(
    "form",
    [
        *(canonical.line, canonical.prose, canonical.reference, canonical.serial, canonical.postcode),
        *(
            canonical.email,
            canonical.origin,
            canonical.phone,
            canonical.gtin,
            canonical.password,
            canonical.code,
            canonical.visible,
        ),
    ],
)
@given(st.data())
def test_the_form_of_a_form_is_itself(form: Callable[[str], str], data: st.DataObject) -> None:
    odd = st.sampled_from(
        "aZ9 .-+@\u0301\u200b\u200c\u200d\u202e\u00a0\ufe0f\u20e3ßİΣςſÅ\u212b\u1100\u1161ｅ½ﷺ"
    )
    text = data.draw(st.text(odd | st.characters(exclude_categories=["Cs"])))
    if form is canonical.email:
        text = f"{text or 'a'}@{data.draw(st.sampled_from(['straße.example', 'ΒΌΛΟΣ.gr', 'a.fr', f'{PERSIAN}.fr']))}"
    if form is canonical.origin:
        host = data.draw(
            st.sampled_from([text, f"{text}.example", "straße.example", "a.fr", "1.2.3.4", "[1::0:1]"])
        )
        text = f"https://{host}{data.draw(st.sampled_from(['', ':443', ':080', ':8443']))}"
    if form is canonical.phone:
        text = data.draw(st.from_regex(r"(0|\+33|0033|\+262|\+216)[ 0-9]{6,12}", fullmatch=True))
    if form is canonical.gtin:
        text = data.draw(st.from_regex(r"[0-9]{7}([0-9]{4,6})?", fullmatch=True))
        text += str(-sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(text[::-1])) % 10)
    try:
        made = form(text)
    except ValueError:
        return
    assert form(made) == made


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_however_accents_are_sent_it_is_the_same_text(text: str) -> None:
    for form in (canonical.line, canonical.prose, canonical.serial, canonical.password):
        assert form(normalize("NFD", text)) == form(normalize("NFC", text))


def test_a_new_password_has_one_form_and_a_known_one_stays_as_it_was_typed() -> None:
    typed = SecretStr("motdepasse e\u0301te\u0301\u00a0ｘ")
    assert TypeAdapter(Password).validate_python(typed).get_secret_value() == "motdepasse été x"
    assert TypeAdapter(KnownPassword).validate_python(typed).get_secret_value() == typed.get_secret_value()
    # It is as long as its form.
    with pytest.raises(ValidationError, match="10 to 128 characters"):
        TypeAdapter(Password).validate_python(SecretStr("e\u0301" * 9))
    TypeAdapter(Password).validate_python(SecretStr("e\u0301" * 128))
    TypeAdapter(KnownPassword).validate_python(SecretStr("e\u0301" * 128))


@pytest.mark.parametrize(
    ("typed", "form"), [("123 456", "123456"), ("１２３-456", "123456"), ("ABCD efgh–2345", "abcdefgh2345")]
)
def test_a_code_is_its_letters_and_digits(typed: str, form: str) -> None:
    assert TypeAdapter(Code).validate_python(SecretStr(typed)).get_secret_value() == form


def test_every_text_that_lists_are_filtered_by_is_read_in_its_form() -> None:
    """Else `?email=LEA@…` finds nobody."""
    filtered = [(row.message, name) for row in SURFACE if isinstance(row, ListRow) for name in row.filters]
    assert filtered
    for view, name in filtered:
        field = view.model_fields[name]
        texts = {field.annotation, *get_args(field.annotation)} & {str}
        marks = [mark for mark in field.metadata if isinstance(mark, ComparedAs)]
        assert bool(texts) == bool(marks), f"{view.__name__}.{name}"


def models(annotation: Any, known: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Every model that an annotation leads to."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in known:
        known.add(annotation)
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation, known)
    for inner in get_args(annotation):
        yield from models(inner, known)


def validators(annotation: Any, metadata: Any = ()) -> Iterator[BeforeValidator]:
    """What changes a value while it is read."""
    yield from (one for one in metadata if isinstance(one, BeforeValidator))
    if get_origin(annotation) in (Union, UnionType, list, tuple, dict) or hasattr(annotation, "__metadata__"):
        yield from (
            one for one in getattr(annotation, "__metadata__", ()) if isinstance(one, BeforeValidator)
        )
        for inner in get_args(annotation):
            yield from validators(inner)


def test_events_and_views_read_what_was_recorded_as_it_is() -> None:
    known: set[type[BaseModel]] = set()
    read = [
        one
        for told in (*message_types.EVENTS.values(), *message_types.VIEWS.values())
        for one in models(told, known)
    ]
    assert len(read) > 100
    for model in read:
        for name, field in model.model_fields.items():
            assert not [*validators(field.annotation, field.metadata)], f"{model.__name__}.{name}"
