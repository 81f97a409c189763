"""The codes of all refusals: the list in the contracts, and the page with the meaning and the cure of each."""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from inspect import getdoc
from types import FunctionType
from typing import TypeVar

from sav_chassis import pydantic_messages, service, shared_refusals
from sav_chassis.errors import Invalid, SavError
from sav_contracts.sentences import Sentence, Text
from sav_contracts.wrong_value import WrongValue
from sav_edge.bodies import UnsupportedMediaType
from sav_edge.upload_errors import Unsuitable
from sav_ops import rooms

S = TypeVar("S", bound=Sentence)

HEAD = """# Errors

Made by `./sav generate` from the error classes of all rooms; change those, not this page. `./sav check` says when it is
outdated.

Every refusal is `application/problem+json` (RFC 9457): `status`, `code`, `title`, `detail`, and where it helps `errors`
(what is wrong with which field) and `moves` (where the record may go from here). Programs go by `code`, which stays;
`detail` is for people: in French where `Accept-Language` prefers it, otherwise in English, and may be said better any day.
"""
CURES = {
    400: "Send the request in the form that the API description gives.",
    401: "Sign in, or refresh the token; then send the request again.",
    403: "Nothing: another person may do it, or this one at another time.",
    404: "Check the id; a record that is not the caller's looks the same.",
    405: "Use one of the methods in `Allow`.",
    408: "Send it again, on a faster connection.",
    409: "Read the record again: it is not as it was thought to be. Where `moves` is given, it may go there.",
    410: "Ask for a new link.",
    412: "Read the record again, then decide again.",
    413: "Send less.",
    415: "Send one of the types that the detail names.",
    422: "Correct what `errors` names.",
    429: "Wait as many seconds as `Retry-After` says.",
    431: "Send a shorter address and fewer headers.",
    500: "Report it, with the `X-Request-ID` of the answer.",
    503: "Repeat it after `Retry-After`; nothing was done.",
    504: "Repeat it with the same `Idempotency-Key`, which the answer names: it is done once at most.",
}


@cache
def modules() -> frozenset[str]:
    """Import all modules that may define refusals; return their names."""
    packages = ("contracts", "chassis", *rooms.ROOMS)
    return frozenset(one.__name__ for name in packages for one in service.modules(f"sav_{name}"))


def classes(kind: type[S]) -> list[type[S]]:
    """Return all subclasses of this class in the rooms, direct and indirect, ordered by module and name."""
    ours, found, waiting = modules(), set[type[S]](), [kind]
    while waiting:
        further = waiting.pop().__subclasses__()
        waiting += further
        found.update(one for one in further if one.__module__ in ours)
    return sorted(found, key=lambda one: (one.__module__, one.__qualname__))


def refusals() -> list[type[SavError]]:
    """Return every refusal that may be raised: those with a sentence."""
    return [one for one in classes(SavError) if hasattr(one, "en")]


def statuses() -> dict[str, set[int]]:
    """Return the HTTP statuses of every code; more than one is an error."""
    known: dict[str, set[int]] = defaultdict(set)
    for one in refusals():
        known[one.code].add(one.status)
    return known


def codes() -> str:
    """Return the codes by status, as JSON for the contracts."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code, (status, *_) in sorted(statuses().items()):
        by_status[status].append(code)
    return json.dumps(dict(sorted(by_status.items())), indent=2) + "\n"


def owners() -> str:
    """Return the rooms of each code that only rooms raise, as JSON for the contracts; others may come from anywhere."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in refusals():
        found[one.code].update(_places(one))
    services = {*rooms.SERVICES}
    of_rooms = {code: sorted(places) for code, places in sorted(found.items()) if places <= services}
    return json.dumps(of_rooms, indent=2) + "\n"


def _places(refusal: type[SavError]) -> set[str]:
    """The room or library of a refusal; of a shared one, the rooms that take it, or a rule that raises it."""
    shared = shared_refusals.__name__
    if refusal.__module__ != shared:
        return {_room(refusal.__module__)}
    return {_room(name) for name in modules() - {shared} if _takes(refusal, vars(sys.modules[name]))}


def _takes(refusal: type[SavError], names: Mapping[str, object]) -> bool:
    return any(value is refusal or _raises(value, refusal) for value in names.values())


def _raises(value: object, refusal: type[SavError]) -> bool:
    if not isinstance(value, FunctionType) or value.__module__ != refusal.__module__:
        return False
    return refusal.__name__ in value.__code__.co_names


def _room(module: str) -> str:
    return module.split(".")[0].removeprefix("sav_")


def sentences() -> dict[str, set[Text]]:
    """Return the sentences that a caller may read with each code."""
    by_code: dict[str, set[Text]] = defaultdict(set)
    for one in refusals():
        by_code[one.code].add(Text(one.en, one.fr))
    by_code[UnsupportedMediaType.code].update(Text(one.en, one.fr) for one in classes(Unsuitable))
    by_code[Invalid.code].update(Text(one.en, one.fr) for one in classes(WrongValue))
    by_code[Invalid.code].update(
        [
            *pydantic_messages.SHAPES.values(),
            *pydantic_messages.SINGULAR.values(),
            *pydantic_messages.PATTERNS.values(),
            pydantic_messages.ANOTHER,
        ]
    )
    return by_code


def page() -> str:
    """Return docs/errors.md: for every code its meaning, what to do, and the sentences that come with it."""
    by_code = sentences()
    lines = [HEAD, "| status | what to do |", "| --- | --- |"]
    known = statuses()
    lines += [f"| {status} | {CURES[status]} |" for status in sorted(set().union(*known.values()))]
    for code, (status, *_) in sorted(known.items()):
        lines += [
            f"\n## {code}\n",
            f"Status {status}. {_meaning(code)}\n",
            "| English | French |",
            "| --- | --- |",
        ]
        lines += [
            f"| {_shown(one.en)} | {_shown(one.fr)} |" for one in sorted(by_code[code]) if one.en != "{why}"
        ]
    return "\n".join(lines) + "\n"


def _meaning(code: str) -> str:
    owners = [one for one in classes(SavError) if vars(one).get("code") == code]
    return " ".join(dict.fromkeys((getdoc(one) or "").split("\n\n")[0].replace("\n", " ") for one in owners))


def _shown(words: str) -> str:
    return re.sub(r"{\w+(:[^}]*)?}", "…", words).replace("|", r"\|")
