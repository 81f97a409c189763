"""Background processes and their pid files.

A pid file holds pid, start tick and boot id: a number that the system gave to somebody else later is never signalled.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from sav_ops.home import Home, Problem

BOOT = Path("/proc/sys/kernel/random/boot_id")
LOG_LIMIT = 20_000_000


def identity(pid: int) -> str | None:
    """Return what tells this process from a later one with its number; None when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{pid} {fields[19]} {BOOT.read_text().strip()}"


def running(home: Home, name: str) -> int | None:
    """Return the pid of the process we started under this name, if it still runs."""
    try:
        written = (home.run / f"{name}.pid").read_text()
    except FileNotFoundError:
        return None
    pid = int(written.split()[0]) if written else 0
    return pid if written and written == identity(pid) else None


def start(
    home: Home, name: str, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None
) -> int:
    """Start a process that outlives us, its output appended to logs/<name>.log; return its pid."""
    with log_of(home, name).open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    note(home, name, process.pid)
    process.returncode = 0  # it is not ours to wait for: no warning when this object goes away
    return process.pid


def log_of(home: Home, name: str) -> Path:
    """Return the log of a process that is about to start; what it wrote before is above a line that says so."""
    log = home.logs / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    with log.open("a") as out:
        out.write(f"--- {time.strftime('%F %T')} starting {name}\n")
    return log


def note(home: Home, name: str, pid: int) -> None:
    """Remember the process that we started under this name."""
    (home.run / f"{name}.pid").write_text(identity(pid) or "")


def stop(
    home: Home, names: Iterable[str], how: signal.Signals = signal.SIGTERM, seconds: float = 10
) -> list[str]:
    """Ask all of them to stop, kill those that take longer; return the names of those that ran."""
    stopped = [name for name in names if send(home, name, how)]
    deadline = time.monotonic() + seconds
    while any(running(home, name) for name in stopped) and time.monotonic() < deadline:
        time.sleep(0.03)
    for name in stopped:
        send(home, name, signal.SIGKILL)
        (home.run / f"{name}.pid").unlink(missing_ok=True)
    return stopped


def send(home: Home, name: str, how: signal.Signals) -> bool:
    """Signal the process we started under this name, never another; return whether it ran."""
    pid = running(home, name)
    if pid is None:
        return False
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if running(home, name) != pid:
            return False
        signal.pidfd_send_signal(handle, how)
    finally:
        os.close(handle)
    return True


def wait_ready(home: Home, name: str, ready: Callable[[], bool], seconds: float) -> None:
    """Wait until `ready()`; if the process ends before or takes longer, raise a Problem with the end of its log."""
    deadline = time.monotonic() + seconds
    while True:
        done = ready()
        if running(home, name) is None:
            raise Problem(f"{name} stopped while it was starting.\n{log_end(home, name)}")
        if done:
            return
        if time.monotonic() > deadline:
            raise Problem(f"{name} is not ready after {seconds:.0f} s.\n{log_end(home, name)}")
        time.sleep(0.1)


def retried(start: Callable[[], str]) -> str:
    """Start again, up to three times, when a port was taken meanwhile or a killed server has not gone yet."""
    for _ in range(3):
        try:
            return start()
        except Problem as problem:
            if not any(sign in str(problem) for sign in ("in use", "inuse")):
                raise
        time.sleep(1)
    return start()


def log_end(home: Home, name: str, lines: int = 25) -> str:
    """Return the last lines that the last start of this process wrote."""
    log = home.logs / f"{name}.log"
    text = log.read_bytes()[-20_000:].decode(errors="replace") if log.exists() else ""
    last_run = text.rpartition(f"starting {name}\n")[2].splitlines()[-lines:]
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in last_run)])


def poll(ready: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait until `ready()`, at most so many seconds, then raise a Problem with this text."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise Problem(otherwise)
        time.sleep(0.1)
