"""The rooms that run as processes. A new service is added here and in the launcher's list of folders."""

import sys
from datetime import datetime
from importlib import import_module
from typing import Any

from sav_ops.home import OpsError

SERVICES = ("auth", "catalog", "claims", "interventions", "calendar", "notifier", "reporting")
EDGE = "edge"
ROOMS = (*SERVICES, EDGE)


def replicas(count: int) -> dict[str, str]:
    """Return the processes of `count` replicas of every room: name to room (claims, claims-2, …)."""
    return {name: room for room in ROOMS for name in (room, *(f"{room}-{n}" for n in range(2, count + 1)))}


def load(room: str) -> Any:
    """Return the object that runs the room, for example `claims` of `sav_claims.app`."""
    return getattr(import_module(f"sav_{room}.app"), room)


def chosen_services(service: str | None) -> tuple[str, ...]:
    """Return this service, or all; OpsError if there is none of this name."""
    if service and service not in SERVICES:
        raise OpsError(f"There is no service {service}; there are: {', '.join(SERVICES)}.")
    return (service,) if service else SERVICES


def reactions(service: str, type_name: str, at: datetime) -> list[str]:
    """Return the names of a service's reactions to an event of this type and time, in the order in which they run."""
    return [
        reaction.name
        for event, chosen in load(service).load().reactions.items()
        if event.type_name() == type_name
        for reaction in chosen
        if reaction.counts(at)
    ]


def run(room: str) -> None:
    """Run this room in this process, until SIGTERM or SIGINT."""
    from sav_chassis.process import runner

    if room == EDGE:
        from sav_edge.app import listening

        runner.run(listening)
    else:
        runner.run_service(load(room))


if __name__ == "__main__":  # the benchmarks start a room so: without the imports of the command line
    run(sys.argv[1])
