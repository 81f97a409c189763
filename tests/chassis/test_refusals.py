"""Refusals: one class each, with a code, a status and its sentence, and the problem that comes of it."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from sav_chassis.errors import (
    MOST_NAMED,
    Conflict,
    Empty,
    FieldError,
    IllegalMove,
    NoSuch,
    Problem,
    SavError,
    TooMany,
    Unavailable,
    WrongField,
    WrongFields,
)
from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import Actor, Role
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.wrong_value import WrongValue

ID = UUID("0197a6f0-0000-7000-8000-000000000000")


class Taken(Conflict):
    """Somebody sits there."""

    code = "taken"
    name: str
    en = "{name} sits there"
    fr = "{name} y est assis"


class NotGreen(WrongField):
    colour: str
    en = "{colour} is not green"
    fr = "{colour} n’est pas vert"


def test_a_refusal_becomes_a_problem_with_its_code_and_both_sentences() -> None:
    problem = Taken(name="Léa").problem
    assert (problem.status, problem.code, problem.detail) == (409, "taken", "Léa sits there")
    assert problem.in_french().detail == "Léa y est assis"
    assert str(Taken(name="Léa")) == "Léa sits there"


def test_a_refusal_of_one_field_names_it_in_both_languages() -> None:
    problem = NotGreen(field="car.paint", colour="red").problem
    assert problem.detail == "car.paint: red is not green"
    assert problem.errors == [FieldError(field="car.paint", message="red is not green")]
    assert str(NotGreen(field="car.paint", colour="red")) == problem.detail
    french = problem.in_french()
    assert french.detail == "car.paint\N{NO-BREAK SPACE}: red n’est pas vert"
    assert french.errors == [FieldError(field="car.paint", message="red n’est pas vert")]


def test_every_wrong_field_is_told_in_both_languages() -> None:
    class Sent(BaseModel):
        name: str
        rating: int

    with pytest.raises(ValidationError) as caught:
        Sent.model_validate({"rating": "good"})
    problem = WrongFields.from_pydantic(caught.value).problem
    assert problem.detail == "wrong: name, rating"
    assert [error.message for error in problem.errors or ()] == [
        "this field is required",
        "a whole number is expected",
    ]
    french = problem.in_french()
    assert french.detail == "à corriger\N{NO-BREAK SPACE}: name, rating"
    assert [(error.field, error.message) for error in french.errors or ()] == [
        ("name", "ce champ est obligatoire"),
        ("rating", "un nombre entier est attendu"),
    ]


class NotEven(WrongValue):
    code = "not_even"
    en = "even numbers only"
    fr = "seulement des nombres pairs"


def test_what_a_validator_of_ours_says_is_told_as_it_says_it() -> None:
    def even(number: int) -> int:
        raise NotEven().error()

    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Annotated[int, AfterValidator(even)]).validate_python(3)
    problem = WrongFields.from_pydantic(caught.value, within="value.").problem
    assert problem.errors == [FieldError(field="value.body", message="even numbers only")]
    assert problem.in_french().errors == [
        FieldError(field="value.body", message="seulement des nombres pairs")
    ]


def test_an_answer_is_no_larger_than_what_was_sent() -> None:
    problem = WrongFields.each(Empty(field=f"{'x' * 50}{number}") for number in range(500)).problem
    assert len(problem.detail) <= 300
    assert len(problem.in_french().detail) <= 310
    assert len(problem.errors or ()) == len(problem.in_french().errors or ()) == MOST_NAMED


def test_a_move_that_was_made_already_reads_so() -> None:
    lifecycle = Lifecycle("appointment", {("held", "booked"): {Role.CLIENT}})
    with pytest.raises(IllegalMove) as raised:
        lifecycle.check("booked", "booked", Actor(id=UUID(int=1), role=Role.CLIENT))
    assert (raised.value.problem.status, raised.value.problem.code) == (409, "illegal_move")
    assert raised.value.problem.detail == "appointment: booked already"
    assert "déjà" in raised.value.problem.in_french().detail


def test_a_move_that_is_not_legal_is_told_in_the_words_of_the_trade() -> None:
    problem = IllegalMove(
        kind=label("reclamation"), now=label("closed"), wanted=label("awaiting_parts"), moves=["reopened"]
    ).problem
    assert problem.detail == "claim: closed cannot become awaiting parts"
    assert problem.moves == ["reopened"]
    assert problem.in_french().detail == (
        "réclamation\N{NO-BREAK SPACE}: le passage de l’état «\N{NO-BREAK SPACE}clôturé\N{NO-BREAK SPACE}» "
        "à l’état «\N{NO-BREAK SPACE}en attente de pièces\N{NO-BREAK SPACE}» n’est pas possible"
    )


def test_when_to_try_again_is_told() -> None:
    class Full(TooMany):
        code = "full"
        en = "try again in {retry_after} s"
        fr = "réessayez dans {retry_after} s"

    class Shut(Unavailable):
        retry_after: int = 7
        en = "shut"
        fr = "fermé"

    assert (Full(retry_after=3).problem.retry_after, Full(retry_after=3).problem.detail) == (
        3,
        "try again in 3 s",
    )
    assert Shut().problem.retry_after == 7


def test_a_problem_of_the_release_before_is_told_in_english() -> None:
    came = Problem.model_validate({"status": 409, "code": "conflict", "detail": "it is full"})
    assert came.in_french() == came


def test_a_problem_travels_with_both_languages() -> None:
    problem = NoSuch(kind=label("invoice"), id=ID).problem
    came = Problem.model_validate_json(problem.model_dump_json())
    assert came == problem
    assert came.in_french().detail == f"facture introuvable\N{NO-BREAK SPACE}: {ID}"


def test_a_refusal_without_code_or_status_or_language_is_refused_when_it_is_written() -> None:
    said = {"en": "no", "fr": "non"}
    for missing in ({"code": "no"}, {"status": 409}, {}):
        with pytest.raises(TypeError, match="no code, or no status"):
            type("Wrong", (SavError,), said | missing)
    for missing in ({}, {"en": "no"}, {"fr": "non"}):
        with pytest.raises(TypeError, match="`en` and in `fr`"):
            type("Wrong", (Conflict,), missing)


def test_what_stands_for_many_refusals_is_not_raised_itself() -> None:
    with pytest.raises(AttributeError):
        Conflict().problem  # noqa: B018


def test_a_sentence_within_a_sentence_is_in_the_same_language() -> None:
    class NoTime(Conflict):
        why: Text
        en = "no time: {why}"
        fr = "pas le temps, {why}"

    told = NoTime(why=Text("it is closed", "c’est fermé")).problem
    assert (told.detail, told.in_french().detail) == ("no time: it is closed", "pas le temps, c’est fermé")


def test_bounds_of_a_field_are_written_as_people_do_too() -> None:
    class Price(BaseModel):
        amount: Annotated[Decimal, Field(le=Decimal("99.50"))]

    with pytest.raises(ValidationError) as caught:
        Price(amount=Decimal(100))
    problem = WrongFields.from_pydantic(caught.value).problem
    assert [error.message for error in problem.errors or ()] == ["at most 99.50 is expected"]
    assert [error.message for error in problem.in_french().errors or ()] == ["au plus 99,50"]


def test_both_languages_write_days_and_amounts_as_people_do() -> None:
    class TooMuch(Conflict):
        most: Decimal
        currency: str
        until: date
        en = "at most {most} {currency} until {until}"
        fr = "au plus {most}\N{NO-BREAK SPACE}{currency} jusqu’au {until}"

    told = TooMuch(most=Decimal("1316.20"), currency="EUR", until=date(2026, 12, 14)).problem
    assert told.detail == "at most 1,316.20 EUR until 14 December 2026"
    french = "au plus 1\N{NARROW NO-BREAK SPACE}316,20\N{NO-BREAK SPACE}€ jusqu’au 14 décembre 2026"
    assert told.in_french().detail == french
