"""Where each process answers for its health, what it says there, and where a scraper finds them all."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from sav_chassis.settings import Settings
from sav_ops.home import Home, free_port

PORTS = range(12_000, 32_000)
TARGETS = "prometheus-targets.json"


def give_port(home: Home, name: str) -> int:
    """Return a port for a process that is about to start, last time's where it can be; it is known from now on.

    None of those from which the system gives to connections that go out: it would be taken while its process is away.
    Each home begins at another, so that two that start at once do not take the same.
    """
    taken = {port_of(home, path.stem) for path in home.run.glob("*.port") if path.stem != name}
    first = PORTS.start + crc32(str(home.root).encode()) % (len(PORTS) // 100) * 100
    chosen = (port for port in (port_of(home, name), *range(first, PORTS.stop), *PORTS) if port)
    port: int = next(port for port in chosen if port not in taken and free_port(port) == port)
    (home.run / f"{name}.port").write_text(str(port))
    return port


def port_of(home: Home, name: str) -> int | None:
    """Return the port of a process that was started here, if it was."""
    try:
        return int((home.run / f"{name}.port").read_text())
    except FileNotFoundError:
        return None


def ready(home: Home, name: str, settings: Settings) -> bool:
    return says(home, name, settings) == "ready"


def says(home: Home, name: str, settings: Settings) -> str:
    """Return `ready`, or in a few words why not, or why it needs a restart."""
    live, faults = _asked(home, name, settings, "live")
    if not live:
        return "not live: " + (", ".join(faults.get("faults", ())) or "does not answer")
    ready, parts = _asked(home, name, settings, "ready")
    return "ready" if ready else "not ready: " + ", ".join(part for part, works in parts.items() if not works)


def _asked(home: Home, name: str, settings: Settings, page: str) -> tuple[bool, dict[str, Any]]:
    asked = http.client.HTTPConnection(reached(settings.health_host), port_of(home, name) or 0, timeout=5)
    try:
        asked.request("GET", f"/{page}")
        answer = asked.getresponse()
        return answer.status == 200, json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return False, {}
    finally:
        asked.close()


def reached(host: str) -> str:
    """Return the address at which this machine reaches what listens there."""
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def write_targets(home: Home, processes: Mapping[str, str], settings: Settings) -> None:
    """Write what Prometheus' `file_sd_configs` reads: each process with its room."""
    targets = [
        {
            "targets": [f"{reached(settings.health_host)}:{port_of(home, name)}"],
            "labels": {"room": room, "process": name},
        }
        for name, room in processes.items()
    ]
    # A scraper reads it at any time: never half of it.
    new = home.run / TARGETS
    new.write_text(json.dumps(targets, indent=1))
    new.replace(home.root / TARGETS)
