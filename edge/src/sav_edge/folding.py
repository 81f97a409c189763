"""The one form in which texts are compared: what is stored for lists, and what is asked of them, are folded here.

Case, accents, ligatures, compatibility forms, and the many forms of quotes, dashes and spaces make no difference.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby, zip_longest
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
# As people type them: in `N°8` and `45°C` a sign between parts (anyascii would write `Ndeg8`), in `24×40` a letter.
SIGNS = str.maketrans({"°": ".", "º": ".", "×": "x", "´": "'"})
# What stands before another word without being looked for: `l’évier`, `d’eau`, `qu’il`.
ELIDED = re.compile("(?<![a-z0-9])(?:[cdjlmnst]|qu)['`](?=[a-z])")
# So do these, with a space behind them: small words, and titles of people.
TITLES = ("m", "mr", "mme", "mlle", "dr", "monsieur", "madame", "mademoiselle", "docteur", "mrs", "ms")
PASSED_BY = {
    *("a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "un", "une"),
    *("and", "of", "the", *TITLES),
}
# Those of them that say nothing in a long text: they are not kept there.
SMALL = {word for word in PASSED_BY if len(word) > 1}
# Characters from which a text is no name and no address.
PROSE = 80
# `M.Dupont`
TITLED = re.compile(rf"(?<!\S)({'|'.join(TITLES)})\.(?=[a-z]{{2}})")
# Words that are written in several ways: each finds the others, by their beginnings too.
SAME = (
    *(("saint", "st"), ("sainte", "ste"), ("docteur", "dr"), ("general", "gal"), ("faubourg", "fg", "fbg")),
    *(("boulevard", "bd", "bld", "blvd"), ("avenue", "av", "ave"), ("route", "rte"), ("place", "pl")),
    *(("allee", "all"), ("chemin", "che"), ("impasse", "imp"), ("square", "sq"), ("residence", "res")),
    *(("batiment", "bat"), ("appartement", "appt", "apt")),
)
ALSO = {word: {one for one in same if not word.startswith(one)} for same in SAME for word in same}
# What `&` is read as. Who types the sign looks for nothing by it.
AND = ("et", "and")
# A number of fewer digits, without its zeros in front, is that number and not the beginning of others.
SHORTEST = 4
# A reference as it is counted, written in one: `REC-2026-000001`.
REFERENCE = re.compile("([a-z]+)(20[0-9]{2})(?!0+$)([0-9]{1,6})")
# Digits of a number before its national part: `+33`, `+216`.
COUNTRY = range(1, 4)


def fold(text: str) -> str:
    """The form in which two texts are compared. It is in ASCII, with single spaces."""
    plain = text if text.isascii() else anyascii(unicodedata.normalize("NFKC", text.translate(SIGNS)))
    return " ".join(plain.lower().split())


def order(text: str) -> str:
    """What texts are sorted by, byte by byte: their folded form, then as written; the beginnings, for an index."""
    return f"{fold(text)[:400]}{THEN}{text[:300]}"


class Word(NamedTuple):
    """Something written between spaces, or a number in groups.

    `whole` are all its letters and digits in one, where its `parts` are something else; `number` the digits without zeros in front, where there are some.
    `national` are endings of a telephone number that begins with its country: which digits are the country's is not known.
    """

    parts: tuple[str, ...]
    whole: tuple[str, ...]
    number: str = ""
    national: tuple[str, ...] = ()


def words(text: str) -> Iterator[Word]:
    """The words of a text, in its order."""
    return _words_of(fold(text))


def asked(text: str) -> list[Word]:
    """The words to search for: each once, without small words and titles before others."""
    found = list(words(TITLED.sub(r"\1 ", fold(text))))
    kept = dict.fromkeys(
        word
        for word, following in zip_longest(found, found[1:])
        if not SMALL.issuperset(word.parts)
        # `bâtiment A 3`
        and not (following and following.parts[0][0].isalpha() and PASSED_BY.issuperset(word.parts))
    )
    # Nothing else: it begins a word.
    return [*kept] or found[-1:]


def numbered(text: str) -> Word | None:
    """The reference that a text is, in whatever form: `rec 2026 1` is `REC-2026-000001`."""
    found = REFERENCE.fullmatch("".join(TOKEN.findall(fold(text))))
    return Word((f"{found[1]}{found[2]}{int(found[3]):06}",), ()) if found else None


def _words_of(folded: str) -> Iterator[Word]:
    phone = _is_phone(folded)
    for group, chunks in groupby(folded.split(), lambda chunk: phone or bool(GROUP.fullmatch(chunk))):
        # `06 12 34 56 78` is one number.
        for chunk in [" ".join(chunks)] if group else chunks:
            chunk = chunk.replace("(0)", "")
            if parts := _parts(chunk):
                joined = "".join(parts)[:LONGEST]
                rest = _parts(ELIDED.sub("", chunk))
                whole = [joined] if len(parts) > 1 else []
                if rest != parts and len(rest) > 1:
                    whole.append("".join(rest)[:LONGEST])
                country = COUNTRY if chunk.startswith("+") and joined.isdigit() else ()
                national = tuple(f"{zero}{joined[digits:]}" for digits in country for zero in ("", "0"))
                number = joined.lstrip("0") if joined.isdigit() and joined.startswith("0") else ""
                yield Word(rest, tuple(whole), number, national)


def _parts(chunk: str) -> tuple[str, ...]:
    return tuple(token[:LONGEST] for token in TOKEN.findall(chunk))


def _is_phone(folded: str) -> bool:
    return bool(PHONE.fullmatch(folded)) and sum(map(str.isdigit, folded)) in DIGITS_OF_A_PHONE


def lexemes(texts: Iterable[str]) -> list[str]:
    """What is stored of texts: a search finds them by the beginning of any of these."""
    return sorted(frozenset[str]().union(*map(_lexemes_of, texts)))


# Several records hold the same text: the name of an article, of a client.
@lru_cache(maxsize=2048)
def _lexemes_of(text: str) -> frozenset[str]:
    folded = fold(text)
    found: set[str] = set(AND) if "&" in folded else set()
    for word in _words_of(folded):
        if len(word.parts) == 1 and word.parts[0].isalpha():
            found |= {word.parts[0], *word.whole}
            continue
        found |= {*word.whole, word.number, *word.national}
        for part in word.parts:
            found.add(part)
            found |= set(LETTERS_OR_DIGITS.findall(part))
            found |= {part.lstrip("0")} if part.isdigit() else set()
    for one in found & ALSO.keys():
        found |= ALSO[one]
    return frozenset(found - {""} - (SMALL if len(text) >= PROSE else set()))


def _pieces(word: Word) -> tuple[str, ...]:
    """Its letters and digits apart, as where a space stands between them; not of a mark such as `R6`: a letter and a
    digit occur somewhere in most records."""
    pieces = tuple(piece for part in word.parts for piece in LETTERS_OR_DIGITS.findall(part))
    is_mark = len(pieces) == 2 and len(pieces[0]) == 1 and pieces[0].isalpha()
    return () if is_mark or len(pieces) == len(word.parts) else pieces


def _piece(lexeme: str, length: int) -> str:
    """A piece as text of a `tsquery`: a short one is the whole of a lexeme."""
    return f"'{lexeme}'" + (":*" if length >= SHORTEST else "")


def query(word: Word, mark: str = "", longer_than: int = 0) -> str:
    """The condition of a word as text of a `tsquery`; every part is the beginning of a lexeme, after the `mark`.

    `longer_than` leaves out shorter parts where longer ones stand beside them, for an index: more is found then.
    """
    spellings = [word.parts, *((whole,) for whole in word.whole)]
    asked = ([part for part in parts if len(part) > longer_than] or parts for parts in spellings)
    beginnings = [" & ".join(f"'{mark}{part}':*" for part in parts) for parts in asked]
    if pieces := _pieces(word):
        beginnings.append(" & ".join(_piece(mark + piece, len(piece)) for piece in pieces))
    if word.number:
        beginnings.append(f"'{mark}{word.number}'" + (":*" if len(word.number) >= SHORTEST else ""))
    return "(" + " | ".join(f"({spelling})" for spelling in beginnings) + ")"
