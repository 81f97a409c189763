"""Background processes and their pid files.

A pid file holds pid, start tick and boot id: another process that got the same pid later is never signalled. The file
also says that the process is meant to run: if the process is gone, the keeper starts it again.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sav_ops.home import Home, OpsError
from sav_ops.launch import keeper_client

BOOT = Path("/proc/sys/kernel/random/boot_id")
LOG_LIMIT = 20_000_000
# Suffix of the pid file of a process that was told to stop: it is not meant to run any more.
STOPPING = ".stopping"


def identity(pid: int) -> str | None:
    """Return what distinguishes this process from a later one with the same pid; None if it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{pid} {fields[19]} {BOOT.read_text().strip()}"


def running(home: Home, name: str) -> int | None:
    """Return the pid of the process that was started under this name; None if it does not run."""
    for file in (home.run / f"{name}.pid", home.run / f"{name}{STOPPING}"):
        with suppress(FileNotFoundError):
            written = file.read_text()
            pid = int(written.split()[0]) if written else 0
            if written and written == identity(pid):
                return pid
    return None


def noted(home: Home, name: str) -> int:
    """Return the pid in the pid file of this name, whether or not the process runs; 0 if there is none."""
    with suppress(FileNotFoundError):
        written = (home.run / f"{name}.pid").read_text()
        return int(written.split()[0]) if written else 0
    return 0


def expected_processes(home: Home) -> list[str]:
    """Return the names of the processes that are meant to run, whether or not they do."""
    return sorted(path.stem for path in home.run.glob("*.pid"))


def start(
    home: Home, name: str, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None
) -> int:
    """Start a process that outlives this one; append its output to logs/<name>.log; return its pid.

    It becomes a child of the keeper, if one runs in this home.
    """
    order = keeper_client.Spawn(
        [str(word) for word in command], dict(env), str(cwd or Path.cwd()), str(log_of(home, name))
    )
    keeper = running(home, keeper_client.KEEPER)
    # The keeper adopts what its own child (a starter) starts.
    alone = keeper is None or keeper == os.getppid()
    pid = spawn(order) if alone else keeper_client.give(home, order)
    note(home, name, pid)
    return pid


def spawn(order: keeper_client.Spawn) -> int:
    """Start a process and return its pid; nothing here waits for its end."""
    with open(order.log, "ab") as out:
        process = subprocess.Popen(
            order.command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=order.env,
            cwd=order.cwd,
            start_new_session=True,
        )
    process.returncode = 0  # no ResourceWarning when this object is collected
    return process.pid


def log_of(home: Home, name: str) -> Path:
    """Return the log of a process that is about to start, with a line that separates this start from earlier ones.

    A log of more than 20 MB is rotated to `.log.1` first.
    """
    log = home.logs / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    log.touch(mode=0o600)
    with log.open("a") as out:
        out.write(f"--- {time.strftime('%F %T')} starting {name}\n")
    return log


def note(home: Home, name: str, pid: int) -> None:
    """Write the pid file of a process that was started under this name."""
    new = home.run / f"{name}.new"
    new.write_text(identity(pid) or "")
    new.replace(home.run / f"{name}.pid")
    (home.run / f"{name}{STOPPING}").unlink(missing_ok=True)


def stop(
    home: Home, names: Iterable[str], how: signal.Signals = signal.SIGTERM, seconds: float = 10
) -> list[str]:
    """Ask processes to stop, kill those that take longer than `seconds`; return the names of those that ran.

    None of them is meant to run any more.
    """
    names = list(names)
    for name in names:
        with suppress(FileNotFoundError):
            (home.run / f"{name}.pid").replace(home.run / f"{name}{STOPPING}")
    stopped = [name for name in names if send(home, name, how)]
    deadline = time.monotonic() + seconds
    while any(running(home, name) for name in stopped) and time.monotonic() < deadline:
        time.sleep(0.03)
    for name in stopped:
        send(home, name, signal.SIGKILL)
    for name in names:
        (home.run / f"{name}{STOPPING}").unlink(missing_ok=True)
    return stopped


def kill(home: Home, name: str, seconds: float = 10) -> None:
    """Kill a process and wait up to `seconds` until it is gone; it is still meant to run."""
    pid = running(home, name)
    if pid is None or not send(home, name, signal.SIGKILL):
        return
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            select.select([handle], [], [], seconds)
        finally:
            os.close(handle)


def send(home: Home, name: str, how: signal.Signals) -> bool:
    """Signal the process that was started under this name, never another; return whether it ran."""
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
    """Wait until `ready()`; OpsError with the end of its log if the process ends before, or takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        done = ready()
        if running(home, name) is None:
            raise OpsError(f"{name} stopped while it was starting.\n{log_end(home, name)}")
        if done:
            return
        if time.monotonic() > deadline:
            raise OpsError(f"{name} is not ready after {seconds:.0f} s.\n{log_end(home, name)}")
        time.sleep(0.1)


def retried(start: Callable[[], str]) -> str:
    """Start, and retry up to three times: a port may have been taken, or a killed server may not be gone yet."""
    for _ in range(3):
        try:
            return start()
        except OpsError as problem:
            if not any(sign in str(problem) for sign in ("in use", "inuse", "already_used")):
                raise
        time.sleep(1)
    return start()


def log_end(home: Home, name: str, lines: int = 25) -> str:
    """Return the last lines that this process logged since its last start."""
    log = home.logs / f"{name}.log"
    text = log.read_bytes()[-20_000:].decode(errors="replace") if log.exists() else ""
    last_run = text.rpartition(f"starting {name}\n")[2].splitlines()[-lines:]
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in last_run)])


def poll(ready: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Wait until `ready()`; after `seconds`, raise an OpsError with the text `otherwise`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise OpsError(otherwise)
        time.sleep(0.1)
