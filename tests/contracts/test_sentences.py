"""Sentences in both languages: what a class of them must have, and what may be put in."""

from typing import Annotated, Any, cast

import pytest
from pydantic import AfterValidator, TypeAdapter, ValidationError

from sav_contracts.actor import Role
from sav_contracts.labels import label, role_names
from sav_contracts.sentences import Sentence, Text, check
from sav_contracts.wrong_value import WrongValue


class Away(Sentence):
    name: str
    state: Text
    en = "{name} is {state}"
    fr = "{name} est à l’état {state}"


def test_a_sentence_is_said_in_both_languages() -> None:
    away = Away(name="Karim", state=label("en_route"))
    assert away.text() == Text("Karim is en route", "Karim est à l’état en route")
    assert str(away) == "Karim is en route"


def test_a_word_is_said_in_the_language_of_who_reads_it() -> None:
    assert Away(name="Karim", state=label("awaiting_parts")).text() == Text(
        "Karim is awaiting parts", "Karim est à l’état en attente de pièces"
    )
    assert role_names({Role.MANAGER, Role.CLIENT, Role.SYSTEM}) == Text(
        "clients and managers", "les clients et les responsables SAV"
    )
    assert role_names({Role.ADMIN}).fr == "les administrateurs"


@pytest.mark.parametrize("typed", ["closed", "{state}", "{0}", "{name.__class__}", "{", "\\", "%s"])
def test_what_somebody_typed_is_only_ever_text(typed: str) -> None:
    assert Away(name=typed, state=label("closed")).text() == Text(
        f"{typed} is closed", f"{typed} est à l’état clôturé"
    )


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"en": "{name} is away"},
        {"fr": "{name} est absent"},
        {"en": "", "fr": ""},
        {"en": "{name} is away", "fr": "absent"},
        {"en": "away", "fr": "{name} est absent"},
        {"en": "{title} is away", "fr": "{title} est absent"},
        {"en": "{} is away", "fr": "{} est absent"},
        {"en": "{name.title} is away", "fr": "{name.title} est absent"},
        {"en": "{name:>9} is away", "fr": "{name:>9} est absent"},
    ],
)
def test_a_sentence_that_lacks_something_in_one_language_is_refused_when_it_is_written(
    said: dict[str, str],
) -> None:
    with pytest.raises(TypeError):
        type("Wrong", (Sentence,), said | {"__annotations__": {"name": str}})


@pytest.mark.parametrize(
    "template", [Text("at most {most}", "au plus"), Text("too long", ""), Text("", "trop")]
)
def test_a_template_by_itself_is_checked_too(template: Text) -> None:
    with pytest.raises(TypeError):
        check("too_long", template)
    check("too_long", Text("at most {most}", "au plus {most}"))


def test_who_says_it_otherwise_says_it_otherwise_in_both_languages() -> None:
    with pytest.raises(TypeError):
        type("Wrong", (Away,), {"en": "{name} is {state} now"})


def test_a_parameter_that_is_not_given_is_refused() -> None:
    with pytest.raises(TypeError):
        cast(Any, Away)(name="Karim")


class NotEven(WrongValue):
    code = "not_even"
    number: int
    en = "{number} is not even"
    fr = "{number} n’est pas pair"


def test_what_a_validator_says_has_its_code_and_both_languages() -> None:
    def even(number: int) -> int:
        raise NotEven(number=number).error()

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[int, AfterValidator(even)]).validate_python(3)
    [error] = caught.value.errors()
    assert (error["type"], error["msg"]) == ("not_even", "3 is not even")
    assert error["ctx"] == {"en": "3 is not even", "fr": "3 n’est pas pair"}


def test_what_a_validator_says_without_a_code_is_refused_when_it_is_written() -> None:
    with pytest.raises(TypeError):
        type("Wrong", (WrongValue,), {"en": "no", "fr": "non"})
    with pytest.raises(TypeError):
        type("Wrong", (NotEven,), {"en": "no", "fr": "non"})
