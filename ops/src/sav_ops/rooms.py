"""The rooms that run as processes. A new service is added here and in the launcher's list of folders."""

import sys
from importlib import import_module
from typing import Any

SERVICES = ("auth", "claims", "interventions")
EDGE = "edge"
ROOMS = (*SERVICES, EDGE)


def load(room: str) -> Any:
    """Return the object that runs the room: `claims` of `sav_claims.app`."""
    return getattr(import_module(f"sav_{room}.app"), room)


if __name__ == "__main__":  # how `up` starts a room: without the command line's imports
    load(sys.argv[1]).run()
