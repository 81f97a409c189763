"""The rooms that run as processes. A new service is added here and in the launcher's list of folders."""

import sys
from importlib import import_module
from typing import Any

SERVICES = ("auth", "catalog", "claims", "interventions", "calendar", "notifier", "reporting")
EDGE = "edge"
ROOMS = (*SERVICES, EDGE)


def replicas(count: int) -> dict[str, str]:
    """Return the processes of `count` replicas of every room: name to room (claims, claims-2, …)."""
    return {name: room for room in ROOMS for name in (room, *(f"{room}-{n}" for n in range(2, count + 1)))}


def load(room: str) -> Any:
    """Return the object that runs the room: `claims` of `sav_claims.app`."""
    return getattr(import_module(f"sav_{room}.app"), room)


if __name__ == "__main__":  # how `up` starts a room: without the command line's imports
    load(sys.argv[1]).run()
