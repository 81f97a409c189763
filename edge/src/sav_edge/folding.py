"""The one form in which texts are compared: what is stored for lists, and what is asked of them, are folded here.

Case, accents, ligatures, compatibility forms, and the many forms of quotes, dashes and spaces make no difference.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from anyascii import anyascii

# Characters of a word that count.
LONGEST = 60
# Below every character of a folded text: where the foldings are equal, the texts as they were written decide.
THEN = "\x1f"

TOKEN = re.compile("[a-z0-9]+")
# `24kW` and `LUM24` are found by `24 kW` and `lum 24` too.
LETTERS_OR_DIGITS = re.compile("[a-z]+|[0-9]+")
# The words that are kept to correct others to, and those that are corrected; PostgreSQL reads it, too.
CORRECTABLE = "[a-z]{4,}"
# A group of digits of a telephone number, or of another number that people write in groups.
GROUP = re.compile(r"\+?(\(0\))?(00[0-9]{3}|[0-9]{1,4})[.,/-]?")
# A telephone number and nothing else: all of it is one number, however its groups are cut (`06 12345678`).
PHONE = re.compile(r"\(?(\+|0)[0-9 ().,/-]*")
DIGITS_OF_A_PHONE = range(8, 19)
# A sign between parts, as in `N°8` and `45°C`; anyascii would write `Ndeg8`.
DEGREES = re.compile("[°º]")
# A number of fewer digits, without its zeros in front, is that number and not the beginning of others.
SHORTEST = 4
# Digits of a number before its national part: `+33`, `+216`.
COUNTRY = range(1, 4)


def fold(text: str) -> str:
    """The form in which two texts are compared. It is in ASCII, with single spaces."""
    plain = text if text.isascii() else anyascii(unicodedata.normalize("NFKC", DEGREES.sub(".", text)))
    return " ".join(plain.lower().split())


def order(text: str) -> str:
    """What texts are sorted by, byte by byte: their folded form, then as written; the beginnings, for an index."""
    return f"{fold(text)[:400]}{THEN}{text[:300]}"


class Word(NamedTuple):
    """Something written between spaces, or a number in groups.

    `whole` are its parts in one, where there are several; `number` the digits without zeros in front, where there are some.
    `national` are endings of a telephone number that begins with its country: which digits are the country's is not known.
    """

    parts: tuple[str, ...]
    whole: tuple[str, ...]
    number: str = ""
    national: tuple[str, ...] = ()


def words(text: str) -> Iterator[Word]:
    """The words of a text, in its order."""
    folded = fold(text)
    phone = _is_phone(folded)
    for group, chunks in groupby(folded.split(), lambda chunk: phone or bool(GROUP.fullmatch(chunk))):
        # `06 12 34 56 78` is one number.
        for chunk in [" ".join(chunks)] if group else chunks:
            if parts := tuple(token[:LONGEST] for token in TOKEN.findall(chunk.replace("(0)", ""))):
                joined = "".join(parts)[:LONGEST]
                country = COUNTRY if chunk.startswith("+") and joined.isdigit() else ()
                national = tuple(f"{zero}{joined[digits:]}" for digits in country for zero in ("", "0"))
                number = joined.lstrip("0") if joined.isdigit() and joined.startswith("0") else ""
                yield Word(parts, (joined,) if len(parts) > 1 else (), number, national)


def _is_phone(folded: str) -> bool:
    return bool(PHONE.fullmatch(folded)) and sum(map(str.isdigit, folded)) in DIGITS_OF_A_PHONE


def lexemes(texts: Iterable[str]) -> list[str]:
    """What is stored of texts: a search finds them by the beginning of any of these."""
    return sorted(frozenset[str]().union(*map(_lexemes_of, texts)))


# Several records hold the same text: the name of an article, of a client.
@lru_cache(maxsize=2048)
def _lexemes_of(text: str) -> frozenset[str]:
    found: set[str] = set()
    for word in words(text):
        if len(word.parts) == 1 and word.parts[0].isalpha():
            found.add(word.parts[0])
            continue
        found |= {*word.whole, word.number, *word.national}
        for part in word.parts:
            found.add(part)
            found |= set(LETTERS_OR_DIGITS.findall(part))
            found |= {part.lstrip("0")} if part.isdigit() else set()
    return frozenset(found - {""})


def query(word: Word, mark: str = "", longer_than: int = 0) -> str:
    """The condition of a word as text of a `tsquery`; every part is the beginning of a lexeme, after the `mark`.

    `longer_than` leaves out shorter parts where longer ones stand beside them, for an index: more is found then.
    """
    spellings = [word.parts]
    split = tuple(piece for part in word.parts for piece in LETTERS_OR_DIGITS.findall(part))
    if len(split) > len(word.parts):
        spellings.append(split)
    spellings += [(whole,) for whole in word.whole]
    asked = ([part for part in parts if len(part) > longer_than] or parts for parts in spellings)
    beginnings = [" & ".join(f"'{mark}{part}':*" for part in parts) for parts in asked]
    if word.number:
        beginnings.append(f"'{mark}{word.number}'" + (":*" if len(word.number) >= SHORTEST else ""))
    return "(" + " | ".join(f"({spelling})" for spelling in beginnings) + ")"
