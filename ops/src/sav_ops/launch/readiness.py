"""The health port of each process, what it answers there, and the list of targets for a scraper."""

import http.client
import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from sav_chassis.settings import Settings
from sav_ops.home import Home, free_port, reached
from sav_ops.launch.liveness import port_of

PORTS = range(12_000, 32_000)
TARGETS = "prometheus-targets.json"


def give_port(home: Home, name: str) -> int:
    """Return a health port for a process that is about to start, the last one if it is free, and record it.

    The port lies below the system's range for outgoing connections, which could take it while the process is down.
    Each home begins at another port, so that two that start together do not choose the same.
    """
    taken = {port_of(home, path.stem) for path in home.run.glob("*.port") if path.stem != name}
    first = PORTS.start + crc32(str(home.root).encode()) % (len(PORTS) // 100) * 100
    chosen = (port for port in (port_of(home, name), *range(first, PORTS.stop), *PORTS) if port)
    port: int = next(port for port in chosen if port not in taken and free_port(port) == port)
    (home.run / f"{name}.port").write_text(str(port))
    return port


def ready(home: Home, name: str, settings: Settings) -> bool:
    return says(home, name, settings) == "ready"


def says(home: Home, name: str, settings: Settings) -> str:
    """Return `ready`, or in a few words why the process is not ready, or not live."""
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


def write_targets(home: Home, processes: Mapping[str, str], settings: Settings) -> None:
    """Write the file for Prometheus' `file_sd_configs`: the address of each process, with its room."""
    targets = [
        {
            "targets": [f"{reached(settings.health_host)}:{port_of(home, name)}"],
            "labels": {"room": room, "process": name},
        }
        for name, room in processes.items()
    ]
    # A scraper may read the file at any time: it must never see half of it.
    new = home.run / TARGETS
    new.write_text(json.dumps(targets, indent=1))
    new.replace(home.root / TARGETS)
