"""The codes of refusals, the page that explains them, and the words in them."""

import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from inspect import signature
from string import Formatter
from typing import get_args
from uuid import UUID

from sav_chassis.errors import SavError
from sav_contracts.actor import Role
from sav_contracts.calendar.hours import Weekday
from sav_contracts.catalog.warranty import Coverage, Why
from sav_contracts.interventions.technician import Skill
from sav_contracts.interventions.visit import Cause
from sav_contracts.labels import FRENCH, PEOPLE
from sav_contracts.messages import View
from sav_contracts.sentences import Sentence, Text
from sav_contracts.wrong_value import WrongValue
from sav_edge.language import TITLES
from sav_interventions.lacking import NEEDED
from sav_ops import rooms
from sav_ops.documents import error_codes, generated

# In French what has two parts stands behind a no-break space, and letters are left out with a round apostrophe.
WRONG_TYPE = re.compile(r" [:;!?»]|« |\w'\w")


def test_a_code_has_one_status() -> None:
    assert {code: told for code, told in error_codes.statuses().items() if len(told) > 1} == {}


def test_every_code_stands_on_the_page_with_its_status_its_meaning_and_its_sentences() -> None:
    page = error_codes.page()
    for code, (status, *_) in error_codes.statuses().items():
        chapter = page.split(f"\n## {code}\n", 1)[1].split("\n## ")[0]
        assert f"Status {status}. " in chapter
        assert f"| {status} | {error_codes.CURES[status]} |" in page
    taken = page.split("\n## slot_taken\n")[1].split("\n## ")[0]
    assert "| This time was just taken; choose another one | Ce créneau vient d’être pris" in taken


def test_every_code_says_what_it_means() -> None:
    """A class without a docstring would have that of the one it inherits from."""
    owners = [one for one in error_codes.classes(SavError) if "code" in vars(one)]
    assert [one.__qualname__ for one in owners if not one.__doc__] == []
    # A dataclass without one has its signature.
    assert [one.__qualname__ for one in owners if str(one.__doc__).startswith(f"{one.__name__}(")] == []


def test_the_contracts_list_every_code_by_its_status() -> None:
    listed = {
        code: {int(status)} for status, codes in json.loads(error_codes.codes()).items() for code in codes
    }
    assert listed == error_codes.statuses()


def test_what_validators_say_has_codes_that_differ() -> None:
    counted = Counter(one.code for one in error_codes.classes(WrongValue))
    assert {code: many for code, many in counted.items() if many > 1} == {}


def test_every_sentence_reads_well_in_both_languages() -> None:
    for code, told in error_codes.sentences().items():
        assert told, code
        for english, french in told - {("{why}", "{why}"), ("{why} ({name})", "{why} ({name})")}:
            assert english != french, "it has no French"
            assert not english.endswith("."), english
            assert not french.endswith("."), french
            assert not WRONG_TYPE.search(french), french


# What a sentence may have inserted: words in both languages, what somebody typed, numbers and days. No code, no moment.
INSERTED = {Text, str, str | None, int, UUID, Decimal, date}


def test_what_is_inserted_in_a_sentence_can_be_said_in_both_languages() -> None:
    wrong = {
        f"{one.__qualname__}.{name}"
        for one in error_codes.classes(Sentence)
        if hasattr(one, "fr")
        for _, name, _, _ in Formatter().parse(one.fr)
        if name and name != "currency" and signature(one).parameters[name].annotation not in INSERTED
    }
    assert wrong == set()


def views(of: type[View] = View) -> set[str]:
    """The kinds of the contracts; tests have some of their own."""
    ours = [one for one in of.__subclasses__() if one.__module__.startswith("sav_contracts")]
    return {one.kind() for one in ours if not one.kind().endswith("_for_client")}.union(*map(views, ours))


def test_every_kind_state_role_and_status_has_its_french_and_no_other_word_is_kept() -> None:
    tables = [table for room in rooms.SERVICES for table in generated.lifecycles(room)]
    states = {state for table in tables for move in table.moves for state in move}
    kinds = views() | {table.kind for table in tables} | {"session", "cover", "warranty"}
    values = {word for type in (Coverage, Why, Weekday, Skill, Cause) for word in get_args(type)}
    assert kinds | states | values | NEEDED == set(FRENCH)
    assert set(PEOPLE) == set(Role) - {Role.SYSTEM}
    assert set(TITLES) == {status for told in error_codes.statuses().values() for status in told}
