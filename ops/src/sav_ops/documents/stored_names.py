"""The stored names of reactions, timers and effects: how they may change from one release to the next."""

from collections.abc import Iterator
from typing import Any

from sav_contracts.published import revisions
from sav_ops.home import OpsError

Names = dict[str, dict[str, Any]]

CURE = """
Databases hold these names. A function may have another one: put @stored_as("the name from before") beneath its decorator.
A reaction that is no more: service.retire("its name", Event). A new one, or one that reacts to a further event, says
since when that counts: @service.on(Event, since="2026-12-01"). A timer or an effect stays for as long as rows may wait
for it."""


def keep(published: Names, today: Names) -> None:
    """Compare the current declarations with the published names; `OpsError` names everything that they break."""
    if broken := [
        line for service in sorted(published.keys() | today) for line in _broken(service, published, today)
    ]:
        raise OpsError("\n".join(["Today's declarations break what databases hold:", *broken, CURE]))


def _broken(service: str, published: Names, today: Names) -> Iterator[str]:
    old, new = published.get(service, {}), today.get(service, {})
    was, now, retired = (
        set(_pairs(names, kind)) for names, kind in ((old, "reactions"), (new, "reactions"), (new, "retired"))
    )
    for name, event in sorted((was | set(_pairs(old, "retired"))) - now - retired):
        yield f"  {service}: {name} does not react to {event} any more"
    for name, event in sorted(now - was):
        # An event that is new itself has no past that could be taken up.
        if old and not new["reactions"][name][event] and revisions("schemas", event):
            yield f"  {service}: {name} reacts to {event} and does not say since when"
    for name, event in sorted(now & retired):
        yield f"  {service}: {name} reacts to {event} and is retired"
    for kind in ("timers", "effects"):
        for name in sorted(set(old.get(kind, ())) - set(new.get(kind, ()))):
            yield f"  {service}: {name} of its {kind} is gone"


def _pairs(names: dict[str, Any], kind: str) -> Iterator[tuple[str, str]]:
    for name, events in names.get(kind, {}).items():
        yield from ((name, event) for event in events)
