"""Problems in French: every sentence that a caller may read has its French, and says there what it says in English."""

from itertools import chain
from string import Formatter
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import _pydantic_core
from stories import refused
from system import System

from sav_chassis.errors import Conflict, FieldError, IllegalMove, Invalid, NotFound, Problem
from sav_contracts.actor import Role
from sav_contracts.catalog.product import Coverage, Why
from sav_contracts.messages import View
from sav_edge.french import catalogue, french, in_french, prefers_french
from sav_edge.problems import CODES, Refusal
from sav_ops import errors, generated, rooms
from sav_ops.sentences import sentences

# What pydantic says of types that no message of ours has.
ABSENT = (
    "no_such_attribute json_ needs_python_object recursion_ frozen_ get_attribute_error model_attributes_type dataclass_"
    " named_tuple_type default_factory_not_called iterable_type iteration_error set_item_not_hashable ordered_dict_type"
    " counter_type mapping_type deque_type bytes_ missing_sentinel_error ellipsis_error is_instance_of is_subclass_of"
    " callable_type arguments_type missing_argument missing_keyword missing_positional unexpected_ multiple_argument_values fraction_ complex_"
)
# Reasons of a parser, which stand in English only, are not told.
REASON = {"error", "reason", "class_name", "field_type"}


def said() -> set[str]:
    """By the rooms."""
    return {one.words for one in sentences() if one.words and any(map(str.isalpha, one.words))}


def pydantic() -> list[tuple[str, list[str]]]:
    """Its sentences with `{}` for what is put in, and the names of that."""
    known = [
        one for one in _pydantic_core.list_all_errors() if not one["type"].startswith(tuple(ABSENT.split()))
    ]
    texts = chain.from_iterable(
        (one["message_template_python"], one.get("message_template_json")) for one in known
    )
    parsed = [list(Formatter().parse(text)) for text in dict.fromkeys(texts) if text]
    return [
        (
            "".join(literal + ("" if name is None else "{}") for literal, name, _, _ in parts),
            [name for _, name, _, _ in parts if name is not None],
        )
        for parts in parsed
    ]


def placeholders(said: str) -> dict[int, str]:
    """Which of the things put in are named, and as what."""
    return {int(name): how or "" for _, name, how, _ in Formatter().parse(said) if name is not None}


def views(of: type[View] = View) -> set[str]:
    """The kinds of the contracts; tests have some of their own."""
    ours = [one for one in of.__subclasses__() if one.__module__.startswith("sav_contracts")]
    return {one.kind() for one in ours if not one.kind().endswith("_for_client")}.union(*map(views, ours))


def test_every_sentence_of_the_rooms_has_its_french_and_no_other_is_kept() -> None:
    known = set(catalogue()["sentences"])
    assert said() - known == set()
    assert known - said() == set()


def test_nothing_put_into_a_sentence_is_lost_in_french() -> None:
    for english, said in catalogue()["sentences"].items():
        assert sorted(placeholders(said)) == list(range(english.count("{}"))), english


def test_every_sentence_is_found_again_with_what_was_put_in() -> None:
    samples = {"w": ("stock_level", "niveau de stock"), "o": ("'a' or 'b'", "'a' ou 'b'"), "": ("x1", "x1")}
    samples["t"] = ("it was rejected", "elle a été rejetée")
    for english, said in catalogue()["sentences"].items():
        chosen = [samples[placeholders(said)[place]] for place in range(english.count("{}"))]
        plain = said.replace(":w}", "}").replace(":t}", "}").replace(":o}", "}")
        told = english.replace("{}", "%s") % tuple(put for put, _ in chosen)
        assert french(told) == plain.format(*(now for _, now in chosen))


def test_where_a_text_is_only_passed_on_it_was_said_in_another_place() -> None:
    """A new name here: does what it holds come from a sentence that is found in the source?"""
    passing = {one.source for one in sentences() if one.words is None}
    assert passing <= {
        "str(missing)",
        "detail",
        "error.detail",
        "problem.detail",
        'item["msg"]',
        "message",
        "one.message",
        "_message(error)",
        "french(error.message)",
    }


def test_what_pydantic_says_has_its_french() -> None:
    shapes = catalogue()["shapes"]
    for english, names in pydantic():
        said = placeholders(shapes[english])
        assert {place for place, name in enumerate(names) if name not in REASON} <= set(said), english


def test_every_kind_state_role_and_status_has_its_french() -> None:
    tables = [table for room in rooms.SERVICES for table in generated.lifecycles(room)]
    states = {state for table in tables for move in table.moves for state in move}
    words = views() | states | {table.kind for table in tables} | {*Role, *get_args(Coverage), *get_args(Why)}
    assert {word.replace("_", " ") for word in words} - set(catalogue()["words"]) == set()
    for status in {status for told in errors.statuses().values() for status in told} | set(CODES):
        title = Refusal(Problem(status=status, code="x", detail="x")).spoken(asked("fr")).body
        assert title != Refusal(Problem(status=status, code="x", detail="x")).body, status


def asked(accept: str) -> Any:
    return {"headers": [(b"accept-language", accept.encode())]}


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("fr", True),
        ("fr-CA", True),
        ("FR-fr, en;q=0.9", True),
        ("en-GB,en;q=0.8,fr;q=0.7", False),
        ("en;q=0.5, fr;q=0.8", True),
        ("fr, en", True),
        ("en, fr", False),
        ("de, fr;q=0.4", True),
        ("*", False),
        ("fr;q=0", False),
        ("*, fr;q=0.5", False),
        ("*;q=0.5, en;q=0", True),
        ("fr;q=much", False),
        ("frr", False),
    ],
)
def test_french_is_spoken_where_it_is_preferred_to_english(accept: str, wanted: bool) -> None:
    assert prefers_french(accept) is wanted


def test_a_move_that_is_not_legal_is_told_in_the_words_of_the_trade() -> None:
    told = IllegalMove("reclamation", "closed", "awaiting_parts", ["reopened"]).problem
    said = in_french(told)
    assert said.detail == (
        "réclamation\N{NO-BREAK SPACE}: le passage de l’état «\N{NO-BREAK SPACE}clôturé\N{NO-BREAK SPACE}» "
        "à l’état «\N{NO-BREAK SPACE}en attente de pièces\N{NO-BREAK SPACE}» n’est pas possible"
    )
    assert (said.code, said.moves) == (told.code, ["reopened"])


def test_the_names_of_fields_and_their_values_stay_as_the_api_has_them() -> None:
    told = Invalid.field("refused", "one of client, paid").problem
    said = in_french(told)
    assert said.errors == [
        FieldError(field="refused", message="l’une de ces valeurs\N{NO-BREAK SPACE}: client, paid")
    ]
    assert said.detail == "refused\N{NO-BREAK SPACE}: l’une de ces valeurs\N{NO-BREAK SPACE}: client, paid"


def test_every_wrong_field_is_told_in_french() -> None:
    class Sent(BaseModel):
        name: str
        rating: int

    with pytest.raises(ValidationError) as caught:
        Sent.model_validate({"rating": "good"})
    said = in_french(Invalid.from_pydantic(caught.value).problem)
    assert said.detail == "à corriger\N{NO-BREAK SPACE}: name, rating"
    assert [error.message for error in said.errors or ()] == [
        "ce champ est obligatoire",
        "un nombre entier est attendu",
    ]


def test_a_sentence_without_french_stays_english() -> None:
    assert in_french(Conflict("nobody wrote this").problem).detail == "nobody wrote this"
    assert french("there is no gizmo 12") == "there is no gizmo 12"
    long = f"there is no invoice {'1' * 1000}"
    assert in_french(NotFound(long).problem).detail == long


async def test_a_refusal_is_in_the_language_that_the_caller_reads(system: System) -> None:
    client = await system.client()
    missing = "/reclamations/0197a6f0-0000-7000-8000-000000000000"
    answer = await client.ask("GET", missing, headers={"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"})
    told = refused(answer, 404, "not_found")
    assert told["detail"] == "réclamation introuvable\N{NO-BREAK SPACE}: 0197a6f0-0000-7000-8000-000000000000"
    assert told["title"] == "Introuvable"
    assert answer.headers["content-language"] == "fr"
    assert answer.headers["vary"] == "Accept-Language"

    answer = await client.get(missing)
    assert refused(answer, 404, "not_found")["detail"].startswith("there is no reclamation")
    assert answer.headers["content-language"] == "en"
    assert answer.headers["vary"] == "Accept-Language"


async def test_what_a_service_refuses_and_what_has_no_route_is_in_french_too(system: System) -> None:
    client = await system.client()
    french = {"Accept-Language": "fr"}
    told = refused(await client.ask("POST", "/reclamations", json={}, headers=french), 422, "invalid")
    assert {"field": "description", "message": "ce champ est obligatoire"} in told["errors"]
    body = {
        "product_id": "0197a6f0-0000-7000-8000-000000000000",
        "problem_type": "leak",
        "description": "fuite",
    }
    told = refused(await client.ask("POST", "/reclamations", json=body, headers=french), 422, "invalid")
    assert told["errors"][0]["message"].startswith("produit introuvable")
    told = refused(await client.ask("GET", "/nowhere", headers=french), 404, "not_found")
    assert told["detail"] == "Introuvable"
