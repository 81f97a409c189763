"""The page of error codes: what each one means, what to do, and what the caller reads with it."""

from collections import defaultdict
from http import HTTPStatus
from inspect import getdoc

from sav_chassis.errors import SavError
from sav_edge.problems import CODES
from sav_ops.sentences import modules, sentences

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


def classes() -> list[type[SavError]]:
    """Every error that has a code of its own, by code."""
    ours = {module.__name__ for module in modules()}
    found, waiting = set[type[SavError]](), [SavError]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if "code" in vars(one) and one.__module__ in ours:
            found.add(one)
    return sorted(found, key=lambda one: (one.code, one.__module__))


def statuses() -> dict[str, set[int]]:
    """The statuses of every code; more than one is a fault."""
    known: dict[str, set[int]] = defaultdict(set)
    for one in classes():
        known[one.code].add(one.status)
    for status, code in CODES.items():
        known[code].add(status)
    return known


def page() -> str:
    """Every code: what it means, what to do, and what the caller reads with it."""
    told = sentences()
    lines = [HEAD, "| status | what to do |", "| --- | --- |"]
    codes = statuses()
    lines += [f"| {status} | {CURES[status]} |" for status in sorted(set().union(*codes.values()))]
    for code, (status, *_) in sorted(codes.items()):
        lines += [f"\n## {code}\n", f"Status {status}. {_meaning(code)}"]
        if words := sorted({one.words for one in told if one.code == code and one.words}):
            lines += ["", *(f"- {_shown(one)}" for one in words)]
    return "\n".join(lines) + "\n"


def _meaning(code: str) -> str:
    said = [(getdoc(one) or "").split("\n\n")[0].replace("\n", " ") for one in classes() if one.code == code]
    return " ".join(dict.fromkeys(said)) or f"{HTTPStatus(min(statuses()[code])).description}."


def _shown(words: str) -> str:
    return words.replace("{}", "…").replace("|", r"\|")
