"""The page of error codes, and the sentences that are found in the source."""

import textwrap
from pathlib import Path
from types import ModuleType

from sav_chassis.errors import Conflict, FieldError, Invalid
from sav_ops import errors, sentences


def test_a_code_has_one_status() -> None:
    assert {code: told for code, told in errors.statuses().items() if len(told) > 1} == {}


def test_every_code_stands_on_the_page_with_its_status_its_meaning_and_its_sentences() -> None:
    page = errors.page()
    for code, (status, *_) in errors.statuses().items():
        chapter = page.split(f"\n## {code}\n", 1)[1].split("\n## ")[0]
        assert f"Status {status}. " in chapter
        assert f"| {status} | {errors.CURES[status]} |" in page
    taken = page.split("\n## slot_taken\n")[1].split("\n## ")[0]
    assert "- this time was just taken; choose another one" in taken


def test_every_error_says_what_it_means() -> None:
    """A class without a docstring would have that of the one it inherits from."""
    assert [one.__qualname__ for one in errors.classes() if not one.__doc__] == []


SOURCE = """
    REASONS = {"a": "it is late", "b": "it is gone"}
    def direct(kind, id):
        raise Conflict(f"there is no {kind} {id}")
    def chosen(first):
        raise Conflict("one" if first else f"two {first}")
    def looked_up(key):
        why = REASONS.get(key)
        raise Conflict(f"no: {why}")
    def named(name):
        raise Invalid.field(name, "say " "it")
    def listed(names):
        raise Invalid.fields([FieldError(field=name, message="not here") for name in names])
    def said():
        return f"at most {3}"
    def called(size):
        raise Conflict(f"too many: {said()}")
    def passed_on(text):
        raise Conflict(text)
    def ours():
        raise TypeError("nobody is told")
"""


def test_the_sentences_are_read_from_the_source_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "rules.py"
    path.write_text(textwrap.dedent(SOURCE))
    module = ModuleType("sav_rules")
    module.__file__ = str(path)
    vars(module).update(Conflict=Conflict, Invalid=Invalid, FieldError=FieldError)
    found = [(one.code, one.words or f"<{one.source}>") for one in sentences.Reader(module).sentences()]
    assert found == [
        ("conflict", "there is no {} {}"),
        ("conflict", "one"),
        ("conflict", "two {}"),
        ("conflict", "no: {}"),
        ("conflict", "it is late"),
        ("conflict", "it is gone"),
        ("invalid", "say it"),
        ("invalid", "not here"),
        ("conflict", "too many: {}"),
        ("conflict", "at most {}"),
        ("conflict", "<text>"),
    ]
