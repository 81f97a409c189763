"""RabbitMQ: one that answers, or a private node under the home's rabbitmq/, or a container."""

import asyncio
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiormq

from sav_ops import debian, processes
from sav_ops.home import REPO, Home, Problem, free_port

NAME = "rabbitmq"
PORT = 5682
COMMON = "amqp://guest:guest@127.0.0.1:5672/"
WAYS = """No RabbitMQ was found. Any of these is enough:
  - set SAV_BROKER_URL, for example amqp://user:password@host:5672/
  - install RabbitMQ 3.10 or newer (Debian, Ubuntu: apt-get install rabbitmq-server)
  - have apt-get, so that SAV can fetch its own copy without touching the system
  - run a Docker engine with Compose"""


class Server(NamedTuple):
    """An installed RabbitMQ: its start script and the folder with Erlang's commands."""

    script: Path
    erlang: Path


def provide(home: Home) -> tuple[str, str]:
    """Return the URL of a broker and where it comes from, starting or fetching one when none is there."""
    if (home.root / "rabbitmq").exists():
        return start(home), "private node"
    if asyncio.run(answers(COMMON)):
        return remember(home, COMMON), "already there"
    if find() or debian.has_apt():
        return start(home), "private node"
    if engine():
        (home.run / "compose").touch()  # first: what an interrupted start leaves is stopped, too
        compose("up", "--detach", "--wait", "broker")
        processes.poll(
            lambda: asyncio.run(answers(COMMON)), 60, "The broker's container does not answer on 5672."
        )
        return remember(home, COMMON), "container"
    raise Problem(WAYS)


def start(home: Home, port: int = PORT) -> str:
    """Start the private node unless it runs, and return its URL; `port` is what its first start prefers, 0 any."""
    return processes.retried(lambda: try_start(home, port))


def try_start(home: Home, port: int) -> str:
    url = home.settings().get("SAV_BROKER_URL", COMMON)
    if not processes.running(home, NAME):
        if " " in f"{home.root}{sys.prefix}":
            raise Problem(
                f"RabbitMQ takes no blank in a path ({home.root}): move SAV, or set SAV_BROKER_URL."
            )
        server = find() or unpacked()
        if url == COMMON:  # the first time; a node keeps its first password, so nothing older may be left
            shutil.rmtree(home.root / "rabbitmq", ignore_errors=True)
            url = f"amqp://sav:{secrets.token_urlsafe(18)}@127.0.0.1:{port}/"
        password = urlsplit(url).password or ""
        port = free_port(urlsplit(url).port or 0)
        url = remember(home, f"amqp://sav:{password}@127.0.0.1:{port}/")
        launch(home, server, port, password)
    processes.wait_ready(home, NAME, lambda: asyncio.run(answers(url)), seconds=90)
    return url


def launch(home: Home, server: Server, port: int, password: str) -> None:
    data = home.folder("rabbitmq")
    (data / "rabbitmq.conf").write_text(f"default_user = sav\ndefault_pass = {password}\n")
    (data / "enabled_plugins").write_text("[].\n")
    environment = node_environment(data, server, port)
    epmd = [str(server.erlang / "epmd"), "-port", environment["ERL_EPMD_PORT"], "-address", "127.0.0.1"]
    processes.stop(home, ["epmd"])
    processes.start(home, "epmd", epmd, environment, cwd=data)
    processes.start(home, NAME, [server.script], environment, cwd=data)


def remember(home: Home, url: str) -> str:
    home.remember("SAV_BROKER_URL", url)
    return url


def stop(home: Home) -> list[str]:
    stopped = processes.stop(home, [NAME], signal.SIGTERM, seconds=30) + processes.stop(home, ["epmd"])
    marker = home.run / "compose"
    if marker.exists() and engine():
        compose("stop", "broker")
        marker.unlink()
        stopped.append("broker container")
    return stopped


def find() -> Server | None:
    """Return an installed server. Debian's wrapper on the PATH switches user and folder: the script behind it is used."""
    for root in (Path("/"), Path(sys.prefix) / "rabbitmq"):
        for script in sorted(
            root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"), reverse=True
        ):
            return Server(script, root / "usr/lib/erlang/bin")
    wrapper, erl = shutil.which("rabbitmq-server"), shutil.which("erl")
    return Server(Path(wrapper).resolve(), Path(erl).resolve().parent) if wrapper and erl else None


def unpacked() -> Server:
    if not debian.has_apt():
        raise Problem(WAYS)
    debian.unpack_rabbitmq(Path(sys.prefix) / "rabbitmq")
    if found := find():
        return found
    raise Problem(WAYS)


def node_environment(data: Path, server: Server, port: int) -> dict[str, str]:
    """Return what makes a node private: own name, ports, cookie and folders, reachable from this machine only."""
    node = {
        "HOME": data,
        "NODENAME": "sav@localhost",
        "NODE_IP_ADDRESS": "127.0.0.1",
        "NODE_PORT": port,
        "DIST_PORT": free_port(),
        "MNESIA_BASE": data / "mnesia",
        "LOG_BASE": data / "log",
        "LOGS": "-",
        "SCHEMA_DIR": data / "schema",
        "GENERATED_CONFIG_DIR": data / "config",
        "CONFIG_FILE": data / "rabbitmq.conf",
        "ADVANCED_CONFIG_FILE": data / "advanced.config",
        "ENABLED_PLUGINS_FILE": data / "enabled_plugins",
        "PID_FILE": data / "pid",
        "CONF_ENV_FILE": data / "none",
        "ALLOW_INPUT": 1,
        "SERVER_START_ARGS": "-noinput",
        "SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    return {f"RABBITMQ_{name}": str(value) for name, value in node.items()} | {
        "HOME": str(data),
        "PATH": f"{server.erlang}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_CRASH_DUMP": str(data / "erl_crash.dump"),
    }


async def answers(url: str) -> bool:
    """Tell whether a broker completes the AMQP handshake with these credentials."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # a refused connection is an answer here
    try:
        async with asyncio.timeout(5):
            connection = await aiormq.connect(url)
            await connection.close()
    except (OSError, TimeoutError, ValueError, aiormq.AMQPError):
        return False
    return True


def engine() -> bool:
    """Tell whether Docker Compose is here and its engine answers."""
    return bool(shutil.which("docker")) and not docker("compose", "ls").returncode


def compose(*words: str) -> None:
    """Run Docker Compose for a broker of our own; a Problem with its words where it fails.

    Own project and login: a platform that runs whole in containers shares neither data nor queues with it.
    """
    login = urlsplit(COMMON)
    told = {"BROKER_USER": login.username or "", "BROKER_PASSWORD": login.password or ""}
    project = ["--file", str(REPO / "compose.yaml"), "--project-name", "sav-broker"]
    done = docker("compose", *project, *words, **told)
    if done.returncode:
        raise Problem(f"Docker Compose could not {words[0]} the broker:\n{done.stderr.strip()}")


def docker(*words: str, **told: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *words], env=os.environ | told, capture_output=True, text=True)
