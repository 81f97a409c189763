"""Text for a terminal: escaped control characters, durations, short ids, indented JSON."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SHORTEST = 8
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def printable(text: str) -> str:
    """Return text that cannot control a terminal: control characters are escaped, except line breaks and tabs."""
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def span(time: timedelta) -> str:
    """Return a duration in its largest unit, for example `3 min`."""
    seconds = max(time.total_seconds(), 0)
    return next(
        (f"{int(seconds // size)} {unit}" for size, unit in UNITS if seconds >= size), f"{seconds:.0f} s"
    )


def beginnings(names: Iterable[str]) -> dict[str, str]:
    """Return the shortest unique beginning of each name, at least 8 characters: ids of the same minute begin alike."""
    ordered = sorted(set(names))
    return {
        name: name[: max(SHORTEST, common(before, name) + 1, common(name, after) + 1)]
        for before, name, after in zip(["", *ordered], ordered, [*ordered[1:], ""], strict=False)
    }


def common(one: str, other: str) -> int:
    """Return the length of the common beginning."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def pretty(text: str) -> Iterator[str]:
    """Yield indented lines: JSON with one field a line, anything else as it is."""
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    yield from (f"  {line}" for line in text.splitlines())
