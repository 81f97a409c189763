"""Errors in values, worded for the person who sent the request: pydantic's texts are written for programmers."""

import re
from collections.abc import Mapping
from typing import Any

from sav_chassis.written import spoken
from sav_contracts.sentences import Text, check, filled

# pydantic's types of error, and what they mean. Parameters in braces come from the error.
_MEANT = (
    ("missing union_tag_not_found", "this field is required", "ce champ est obligatoire"),
    ("extra_forbidden", "there is no such field here", "ce champ n’existe pas ici"),
    ("none_required", "null is expected", "null est attendu"),
    (
        "model_type model_attributes_type dict_type mapping_type",
        "an object is expected",
        "un objet est attendu",
    ),
    ("list_type tuple_type set_type frozen_set_type", "a list is expected", "une liste est attendue"),
    ("too_short", "at least {min_length} of them are expected", "il en faut au moins {min_length}"),
    ("too_long", "at most {max_length} of them are expected", "il en faut au plus {max_length}"),
    ("invalid_key", "names have to be texts", "les noms doivent être des textes"),
    ("string_type string_sub_type", "a text is expected", "un texte est attendu"),
    ("string_unicode", "a text in Unicode is expected", "un texte en Unicode est attendu"),
    ("string_not_ascii", "only ASCII characters are expected", "seuls des caractères ASCII sont attendus"),
    (
        "string_too_short",
        "at least {min_length} characters are expected",
        "au moins {min_length} caractères sont attendus",
    ),
    (
        "string_too_long url_too_long",
        "at most {max_length} characters are expected",
        "au plus {max_length} caractères sont attendus",
    ),
    ("enum literal_error", "one of {expected}", "l’une de ces valeurs : {expected}"),
    ("bool_type bool_parsing", "true or false is expected", "true ou false est attendu"),
    ("int_type int_parsing int_from_float", "a whole number is expected", "un nombre entier est attendu"),
    ("int_parsing_size", "this number is too large", "ce nombre est trop grand"),
    (
        "float_type float_parsing decimal_type decimal_parsing finite_number",
        "a number is expected",
        "un nombre est attendu",
    ),
    ("multiple_of", "a multiple of {multiple_of} is expected", "un multiple de {multiple_of} est attendu"),
    ("greater_than", "more than {gt} is expected", "plus de {gt}"),
    ("greater_than_equal", "at least {ge} is expected", "au moins {ge}"),
    ("less_than", "less than {lt} is expected", "moins de {lt}"),
    ("less_than_equal", "at most {le} is expected", "au plus {le}"),
    (
        "decimal_max_digits",
        "at most {max_digits} digits in all are expected",
        "au plus {max_digits} chiffres en tout sont attendus",
    ),
    (
        "decimal_max_places",
        "at most {decimal_places} decimal places are expected",
        "au plus {decimal_places} décimales sont attendues",
    ),
    (
        "decimal_whole_digits",
        "at most {whole_digits} digits before the decimal point are expected",
        "au plus {whole_digits} chiffres avant la virgule sont attendus",
    ),
    (
        "date_type date_parsing date_from_datetime_parsing date_from_datetime_inexact",
        "a date is expected, such as 2026-03-02",
        "une date est attendue, par exemple 2026-03-02",
    ),
    ("date_past", "a date in the past is expected", "une date passée est attendue"),
    ("date_future", "a date to come is expected", "une date à venir est attendue"),
    (
        "time_type time_parsing",
        "a time of day is expected, such as 08:30",
        "une heure est attendue, par exemple 08:30",
    ),
    (
        "datetime_type datetime_parsing datetime_from_date_parsing datetime_object_invalid",
        "a date and a time are expected, such as 2026-03-02T08:30:00+01:00",
        "une date et une heure sont attendues, par exemple 2026-03-02T08:30:00+01:00",
    ),
    ("datetime_past", "a time in the past is expected", "un instant passé est attendu"),
    ("datetime_future", "a time to come is expected", "un instant à venir est attendu"),
    (
        "timezone_aware timezone_offset",
        "a time with its zone is expected, such as +01:00 or Z at its end",
        "une heure avec son fuseau est attendue, par exemple +01:00 ou Z à la fin",
    ),
    ("timezone_naive", "a time without a zone is expected", "une heure sans fuseau est attendue"),
    (
        "time_delta_type time_delta_parsing",
        "a length of time is expected, such as PT30M",
        "une durée est attendue, par exemple PT30M",
    ),
    ("uuid_type uuid_parsing uuid_version", "a UUID is expected", "un UUID est attendu"),
    (
        "url_type url_parsing url_syntax_violation url_scheme",
        "a web address is expected",
        "une adresse web est attendue",
    ),
    ("union_tag_invalid", "one of {expected_tags}", "l’une de ces valeurs : {expected_tags}"),
    ("json_type json_invalid", "JSON is expected", "du JSON est attendu"),
)
# The same where the most is one.
_MOST = ("max_length", "max_digits", "decimal_places", "whole_digits")
_ONE = (
    ("too_long", "at most one of them is expected", "il en faut au plus un"),
    ("string_too_long url_too_long", "at most one character is expected", "au plus un caractère est attendu"),
    ("decimal_max_digits", "at most one digit in all is expected", "au plus un chiffre en tout est attendu"),
    ("decimal_max_places", "at most one decimal place is expected", "au plus une décimale est attendue"),
    (
        "decimal_whole_digits",
        "at most one digit before the decimal point is expected",
        "au plus un chiffre avant la virgule est attendu",
    ),
)
SHAPES, SINGULAR = (
    {kind: Text(en, fr) for kinds, en, fr in meanings for kind in kinds.split()}
    for meanings in (_MEANT, _ONE)
)
for _kind, _template in (*SHAPES.items(), *SINGULAR.items()):
    check(_kind, _template)
# By the pattern that the text fails to match.
PATTERNS = {
    r"^[^\x00-\x1f\x7f]*$": Text(
        "one line without control characters is expected",
        "une seule ligne sans caractères de contrôle est attendue",
    ),
    r"^[A-Z]{2}$": Text(
        "the two letters of a country are expected, such as FR",
        "les deux lettres d’un pays sont attendues, par exemple FR",
    ),
    r"^[0-9a-f]{64}$": Text(
        "a SHA-256 is expected: 64 digits from 0 to 9 and a to f",
        "un SHA-256 est attendu : 64 chiffres de 0 à 9 et de a à f",
    ),
    r"^[a-z][a-z_]{1,39}$": Text(
        "the code of a task is expected, such as measure_co",
        "le code d’une tâche est attendu, par exemple measure_co",
    ),
    r"^[0-9A-Z]+([ -][0-9A-Z]+)?$": Text(
        "what postcodes begin with is expected, such as 69",
        "le début d’un code postal est attendu, par exemple 69",
    ),
    r"^[0-9]{1,18}$": Text("the `next` of a page is expected", "le `next` d’une page est attendu"),
}
EMPTY = Text("it cannot be empty", "ce champ ne peut pas être vide")
ANOTHER = Text("another value is expected", "une autre valeur est attendue")


def meant(error: Mapping[str, Any]) -> Text:
    """A pydantic error as a sentence. Errors of our own validators keep their own sentences."""
    kind, context = error["type"], error.get("ctx") or {}
    if {"en", "fr"} <= set(context):
        return Text(context["en"], context["fr"])
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], ANOTHER)
    if context.get("min_length") == 1:
        return EMPTY
    if context.get("field_type") == "Value":
        # A secret: pydantic only sees that it has a length.
        kind = f"string_{kind}"
    if kind in SINGULAR and any(context.get(bound) == 1 for bound in _MOST):
        return SINGULAR[kind]
    return filled(SHAPES.get(kind, ANOTHER), {name: _plain(name, value) for name, value in context.items()})


def _plain(name: str, value: Any) -> Any:
    """A value as people send it: `a, b` for pydantic's list of quoted values."""
    return ", ".join(re.findall("'([^']*)'", str(value))) or spoken(name, value)
