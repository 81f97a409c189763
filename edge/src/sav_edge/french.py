"""Problems in French. Their words are in `french.toml`, found by the English ones that the rooms say."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter

from sav_chassis.errors import FieldError, Problem

# Characters: a text may hold what a caller sent, and looking for its template takes longer the longer it is.
LONGEST = 1000


def prefers_french(accept: str) -> bool:
    """Whether an Accept-Language puts French before English (RFC 9110, 12.5.4), which is what is spoken otherwise."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        language, _, weight = part.replace(" ", "").partition(";q=")
        name = language.partition("-")[0]
        if re.fullmatch(r"|0(\.\d{0,3})?|1(\.0{0,3})?", weight):
            weights[name] = max(float(weight or 1), weights.get(name, 0))
    french, english = (weights.get(name, weights.get("*", 0)) for name in ("fr", "en"))
    first = [name for name in weights if name in ("fr", "en")][:1]
    return french > english or (french == english > 0 and first == ["fr"])


def in_french(problem: Problem) -> Problem:
    """The same problem; a sentence that has no French stays as it is."""
    errors = problem.errors and [
        FieldError(field=error.field, message=french(error.message)) for error in problem.errors
    ]
    detail = french(problem.detail)
    for said, now in zip(problem.errors or (), errors or (), strict=True):
        if problem.detail == f"{said.field}: {said.message}":
            detail = f"{now.field}\N{NO-BREAK SPACE}: {now.message}"
    return problem.model_copy(update={"detail": detail, "errors": errors})


def french(text: str) -> str:
    """The sentence in French, or itself where it has none."""
    whole, templates = _catalogue()
    if text in whole or len(text) > LONGEST:
        return whole.get(text, text)
    for template, words in templates:
        if found := template.fullmatch(text):
            return words.format(*map(Part, found.groups()))
    return text


class Part(str):
    """What was put into a sentence."""

    __slots__ = ()

    def __format__(self, how: str) -> str:
        match how:
            case "t":
                return french(self)
            case "w":
                return _words()[self]
            case "o":
                return self.replace(" or ", " ou ")
        return str(self)


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """The chapters of `french.toml`."""
    return tomllib.loads(files("sav_edge").joinpath("french.toml").read_text(encoding="utf-8"))


@cache
def _words() -> dict[str, str]:
    words = catalogue()["words"]
    return words | {name.replace(" ", "_"): word for name, word in words.items()}


@cache
def _catalogue() -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """What is said without anything put in; and the templates, those with the most words of their own first."""
    sentences = {
        english: said
        for name, chapter in catalogue().items()
        if name != "words"
        for english, said in chapter.items()
    }
    open_ones = sorted(
        (text for text in sentences if "{}" in text), key=lambda text: 2 * text.count("{}") - len(text)
    )
    return sentences, [(_pattern(text, sentences[text]), sentences[text]) for text in open_ones]


def _pattern(english: str, said: str) -> re.Pattern[str]:
    """Finds what was put in; where a word is meant, only a word that has French."""
    word = f"({'|'.join(sorted(map(re.escape, _words()), key=len, reverse=True))})"
    parts = {name: how for _, name, how, _ in Formatter().parse(said) if name is not None}
    first, *others = map(re.escape, english.split("{}"))
    found = (word if parts.get(str(place)) == "w" else "(.*?)" for place in range(len(others)))
    return re.compile(
        first + "".join(part + text for part, text in zip(found, others, strict=True)), re.DOTALL
    )
