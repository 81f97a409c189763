"""`sav logs`: the logs of the rooms as one stream in the order of time, for people."""

import heapq
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from rich.text import Text

from sav_ops import rooms
from sav_ops.home import OPS_LOG, Home, OpsError
from sav_ops.terminal.console import out
from sav_ops.terminal.text import printable

COLOURS = {"debug": "dim", "info": "green", "warning": "yellow", "error": "red", "critical": "bold red"}
LEVELS = tuple(COLOURS)
POLL_SECONDS = 0.3
BLOCK = 64 * 1024
# The beginning of lines of the servers, and of the line that marks a start.
STAMP = re.compile(r"(?:--- )?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?) ?(Z|UTC|[+-]\d\d:\d\d)?")
# The time of lines in a file without any time: before everything else.
NEVER = datetime.fromtimestamp(0, UTC)
# Fields with their own place in a line.
PLACED = ("timestamp", "level", "event", "correlation_id", "exception", "stack")


class Line(NamedTuple):
    """One line of a log; `fields` is None if it is not JSON, `at` is None if it has no time."""

    process: str
    at: datetime | None
    text: str
    fields: dict[str, Any] | None


LineFilter = Callable[[Line], bool]


def show(home: Home, names: Sequence[str], lines: int, request: str | None, level: str, follow: bool) -> None:
    """Print the last lines of these rooms or processes (none: of all); with `follow`, then new ones until stopped."""
    check(home, names)
    is_wanted = wanted(request, level)
    tails = {path: Tail(path) for path in files(home, names)}
    seen = latest(list(tails.values()), is_wanted, lines)
    coming = filter(is_wanted, following(lambda: files(home, names), tails)) if follow else ()
    tell(chain(seen, coming))
    if not seen:
        out.print("No line of the logs matches." if tails else "There are no logs yet: ./sav up")


def check(home: Home, names: Iterable[str]) -> None:
    known = {path.stem for path in home.logs.glob("*.log")} | set(rooms.ROOMS)
    for name in names:
        if name not in known:
            raise OpsError(f"There is no log of {name}; there are: {', '.join(sorted(known))}.")


def files(home: Home, names: Sequence[str]) -> list[Path]:
    """Return the logs of these processes and of all replicas of these rooms; without names, of all rooms and of ops."""
    chosen = set(names or (*rooms.ROOMS, OPS_LOG))
    return sorted(path for path in home.logs.glob("*.log") if chosen & {path.stem, path.stem.split("-")[0]})


def wanted(request: str | None, level: str) -> LineFilter:
    """Return a filter for lines: those of a request (id or its beginning) from a level on.

    A line that is not JSON passes any level, but belongs to no request.
    """
    too_low = LEVELS[: LEVELS.index(level)]
    beginning = request.lower() if request else ""

    def is_wanted(line: Line) -> bool:
        if line.fields is None:
            return not beginning
        of_request = str(line.fields.get("correlation_id") or "").startswith(beginning)
        return of_request and line.fields.get("level") not in too_low

    return is_wanted


def latest(tails: Sequence["Tail"], is_wanted: LineFilter, lines: int) -> list[Line]:
    """Return the last lines that are wanted, oldest first; read only as much of the files as that takes."""
    newest = heapq.merge(*(tail.newest_first() for tail in tails), key=when, reverse=True)
    return list(islice(filter(is_wanted, newest), lines))[::-1]


def following(
    look: Callable[[], list[Path]], tails: dict[Path, "Tail"], poll: float = POLL_SECONDS
) -> Iterator[Line]:
    """Yield new lines for ever, also of files that appear later; look every `poll` seconds."""
    while True:
        for path in look():
            if path not in tails:
                tails[path] = Tail(path, from_start=True)
        yield from sorted((line for tail in tails.values() for line in tail.new()), key=when)
        time.sleep(poll)


def when(line: Line) -> datetime:
    return line.at or NEVER


class Tail:
    """A log file, read backwards from its current end and forwards from there, also across a rotation."""

    def __init__(self, path: Path, from_start: bool = False) -> None:
        self.path = path
        self._file = path.open("rb")
        self._end = 0 if from_start else last_newline(self._file)
        self._file.seek(self._end)
        self._begun = b""
        self._at = NEVER

    def newest_first(self) -> Iterator[Line]:
        """Yield the lines up to the current end, newest first. A line without a time has that of the line before it."""
        rotated = self.path.with_suffix(".log.1")
        before = backwards(rotated, rotated.stat().st_size) if rotated.exists() else iter(())
        untimed: list[Line] = []
        for raw in chain(backwards(self.path, self._end), before):
            line = parse(self.path.stem, raw)
            if line.at is None:
                untimed.append(line)
                continue
            yield from (each._replace(at=line.at) for each in untimed)
            untimed.clear()
            yield line
        yield from untimed

    def new(self) -> Iterator[Line]:
        """Yield the lines that were completed since the last call."""
        yield from self._read()
        if self._is_replaced():
            yield from self._read()  # the last lines before the rotation
            self._file.close()
            self._file = self.path.open("rb")
            yield from self._read()

    def _read(self) -> Iterator[Line]:
        *finished, self._begun = (self._begun + self._file.read()).split(b"\n")
        for raw in filter(None, finished):
            line = parse(self.path.stem, raw)
            self._at = line.at or self._at
            yield line._replace(at=self._at)

    def _is_replaced(self) -> bool:
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        return there.st_ino != os.fstat(self._file.fileno()).st_ino or there.st_size < self._file.tell()


def last_newline(file: BinaryIO) -> int:
    """Return the offset at which the last complete line ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def backwards(path: Path, end: int) -> Iterator[bytes]:
    """Yield the lines before this offset, the last one first."""
    rest = b""
    with path.open("rb") as file:
        while end:
            start = max(0, end - BLOCK)
            file.seek(start)
            rest, *lines = (file.read(end - start) + rest).split(b"\n")
            yield from filter(None, reversed(lines))
            end = start
    if rest:
        yield rest


def parse(process: str, raw: bytes) -> Line:
    text = raw.decode(errors="replace")
    try:
        fields = json.loads(text)
        return Line(process, datetime.fromisoformat(fields["timestamp"]), text, fields)
    except (ValueError, TypeError, KeyError):
        return Line(process, stamp(text), text, None)


def stamp(text: str) -> datetime | None:
    """Return the time at the beginning of a line (local if it has no zone); None if it has none."""
    found = STAMP.match(text)
    if not found:
        return None
    zone = (found[2] or "").replace("UTC", "Z")
    return datetime.fromisoformat(found[1] + zone).astimezone()


def tell(lines: Iterable[Line]) -> None:
    """Print lines as they come, and the day whenever it changes."""
    day = datetime.now().astimezone().date()
    for line in lines:
        at = when(line).astimezone()
        if line.at and at.date() != day:
            day = at.date()
            out.print(f"[dim]{day:%A, %Y-%m-%d}[/]")
        out.print(formatted_line(line), soft_wrap=True)


def formatted_line(line: Line) -> Text:
    """Return a line for people: time, process, level, event, fields; a traceback stands below it."""
    fields = line.fields
    if fields is None:
        return Text.assemble(" " * 13, (f"{line.process:<14}", "cyan"), printable(line.text))
    level = str(fields.get("level", ""))
    text = Text.assemble(
        (f"{when(line).astimezone():%H:%M:%S.%f}"[:-3] + " ", "dim"),
        (f"{line.process:<14}", "cyan"),
        (f"{level:<9}", COLOURS.get(level, "")),
        (printable(str(fields.get("event", ""))), "bold"),
    )
    for name, value in fields.items():
        if name not in PLACED and value is not None:
            text.append(f"  {printable(name)}=", "dim").append(written(value))
    if request := fields.get("correlation_id"):
        text.append(f"  request={printable(str(request))}", "dim")
    for below in (fields.get("stack"), fields.get("exception")):
        text.append("".join(f"\n    {each}" for each in traceback(below)), "dim")
    return text


def written(value: Any) -> str:
    """Return a value as it is if it is one word, otherwise as JSON."""
    if isinstance(value, str) and value and not re.search(r"\s", value):
        return printable(value)
    return printable(json.dumps(value, ensure_ascii=False))


def traceback(frames: Any) -> Iterator[str]:
    """Yield the lines of a traceback in Python's order: the error that was raised last is at the end."""
    if not isinstance(frames, list):
        yield from printable(str(frames or "")).splitlines()
        return
    for number, error in reversed(list(enumerate(frames))):
        for frame in error["frames"]:
            yield printable(f'File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}')
        yield from printable(f"{error['exc_type']}: {error['exc_value']}").splitlines()
        yield from (printable(note) for note in error.get("exc_notes", ()))
        for inner in error.get("exceptions", ()):
            yield from (f"  | {each}" for each in traceback(inner))
        if number:
            yield "which caused:" if error["is_cause"] else "and while that was handled:"
