"""Makes what people typed safe for a message: plain text on one line."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from unicodedata import bidirectional

ISOLATE, END_OF_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
LEFTWARDS = frozenset({"R", "AL"})

_BREAKS = re.compile(r"[\t-\r\x1c-\x1e\x85\u2028\u2029]+")
# Control characters, lone surrogates, zero-width characters (but not the joiners and marks that scripts and emoji
# need), and characters that change the direction of the text after them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]"
)
# What a browser reads as a dot in the name of a site (UTS 46), and what else has its compatibility form.
_DOT = "[.\u2024\u3002\ufe12\ufe52\uff0e\uff61]"
# Where mail programs see a link: `mailto:x`, `//x`, `example.com`, `a@example.com`, `192.0.2.1`; invisible characters
# in between do not stop them.
_LINKS = re.compile(
    r"(?<=[^\W\d_]:)(?=\S)|(?<=/)(?=/)"
    rf"|(?<=\S{_DOT})(?=[^\s\w]{{0,9}}[^\W\d_])|(?<=\d{_DOT})(?=\w+{_DOT}\w)"
)


def one_line(text: str) -> str:
    """The text without line breaks and invisible characters; it can always be encoded."""
    return _UNSEEN.sub("", _BREAKS.sub(" ", text))


def cleaned(typed: Any) -> Any:
    """The value with each text as `one_line` makes it, also inside lists and objects."""
    return _each(typed, one_line)


def unlinked(typed: Any) -> Any:
    """The same, with a space inside whatever mail programs would turn into a link."""
    return _each(typed, lambda text: _LINKS.sub(" ", one_line(text)))


def isolated(text: str) -> str:
    """The text, between marks that nobody sees where letters of it are written to the left.

    Without these marks (Unicode's isolates) a date behind an Arabic name would be shown before it.
    """
    leftwards = any(bidirectional(letter) in LEFTWARDS for letter in text)
    return f"{ISOLATE}{text}{END_OF_ISOLATE}" if leftwards else text


def is_address(value: Any) -> bool:
    """Whether it is an Internet address and nothing else."""
    if not isinstance(value, str) or "%" in value:
        return False  # a zone at its end may be any text
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _each(typed: Any, change: Callable[[str], str]) -> Any:
    match typed:
        case str():
            return change(typed)
        case list():
            return [_each(each, change) for each in typed]
        case dict():
            return {name: _each(each, change) for name, each in typed.items()}
    return typed
