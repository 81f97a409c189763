"""RabbitMQ: one that answers, or a private node under the home's rabbitmq/, or a container."""

import asyncio
import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiormq
import psutil

from sav_ops.home import REPO, Home, OpsError, free_port
from sav_ops.launch import debian_packages, processes

NAME = "rabbitmq"
EPMD = "epmd"
PORT = 5682
COMMON = "amqp://guest:guest@127.0.0.1:5672/"
# A liveness check opens a connection and closes it: that need not be logged.
CONFIGURATION = """default_user = sav
default_pass = {password}
log.connection.level = error
"""
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
    """Return the URL of a broker and where it comes from; start or fetch one if there is none."""
    if (home.root / "rabbitmq").exists():
        return start(home), "private node"
    if asyncio.run(answers(COMMON)):
        return remember(home, COMMON), "already there"
    if find() or debian_packages.has_apt():
        return start(home), "private node"
    if engine():
        (home.run / "compose").touch()  # first, so that `down` also stops what an interrupted start left
        compose("up", "--detach", "--wait", "broker")
        processes.poll(
            lambda: asyncio.run(answers(COMMON)), 60, "The broker's container does not answer on 5672."
        )
        return remember(home, COMMON), "container"
    raise OpsError(WAYS)


def start(home: Home, port: int = PORT) -> str:
    """Start the private node unless it runs, and return its URL; the first start prefers `port` (0: any)."""
    return processes.retried(lambda: try_start(home, port))


def try_start(home: Home, port: int) -> str:
    url = home.settings().get("SAV_BROKER_URL", COMMON)
    if not processes.running(home, NAME):
        if " " in f"{home.root}{sys.prefix}":
            raise OpsError(
                f"RabbitMQ takes no blank in a path ({home.root}): move SAV, or set SAV_BROKER_URL."
            )
        server = find() or unpacked()
        if url == COMMON:  # first start: a node keeps its first password, so no older data may be left
            shutil.rmtree(home.root / "rabbitmq", ignore_errors=True)
            url = f"amqp://sav:{secrets.token_urlsafe(18)}@127.0.0.1:{port}/"
        password = urlsplit(url).password or ""
        port = free_port(urlsplit(url).port or 0)
        url = remember(home, f"amqp://sav:{password}@127.0.0.1:{port}/")
        launch(home, server, port, password)
    processes.wait_ready(home, NAME, lambda: asyncio.run(answers(url)), seconds=90)
    return url


def again(home: Home) -> None:
    """Start the private node at its last port, without waiting for it; OpsError if the port is in use."""
    url = urlsplit(home.settings()["SAV_BROKER_URL"])
    if free_port(url.port or 0) != url.port:
        raise OpsError(f"port {url.port} belongs to another program: ./sav up takes another")
    launch(home, find() or unpacked(), url.port or 0, url.password or "")


def epmd_again(home: Home) -> None:
    """Start epmd at the port where the running node looks for it. Without a node do nothing: its start brings epmd."""
    node, server = processes.running(home, NAME), find()
    if node and server:
        launch_epmd(home, server, psutil.Process(node).environ())


def launch(home: Home, server: Server, port: int, password: str) -> None:
    data = home.folder("rabbitmq")
    (data / "rabbitmq.conf").write_text(CONFIGURATION.format(password=password))
    (data / "enabled_plugins").write_text("[].\n")
    environment = node_environment(data, server, port)
    processes.stop(home, [EPMD])
    launch_epmd(home, server, environment)
    processes.start(home, NAME, [server.script], environment, cwd=data)


def launch_epmd(home: Home, server: Server, node: Mapping[str, str]) -> None:
    command = [str(server.erlang / "epmd"), "-port", node["ERL_EPMD_PORT"], "-address", "127.0.0.1"]
    processes.start(home, EPMD, command, node, cwd=home.root / "rabbitmq")


def remember(home: Home, url: str) -> str:
    home.remember("SAV_BROKER_URL", url)
    return url


def stop(home: Home) -> list[str]:
    stopped = processes.stop(home, [NAME], signal.SIGTERM, seconds=30) + processes.stop(home, [EPMD])
    marker = home.run / "compose"
    if marker.exists() and engine():
        compose("stop", "broker")
        marker.unlink()
        stopped.append("broker container")
    return stopped


def find() -> Server | None:
    """Return an installed server; of Debian's package the start script: its wrapper switches user and folder."""
    for root in (Path("/"), Path(sys.prefix) / "rabbitmq"):
        for script in sorted(
            root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"), reverse=True
        ):
            return Server(script, root / "usr/lib/erlang/bin")
    wrapper, erl = shutil.which("rabbitmq-server"), shutil.which("erl")
    return Server(Path(wrapper).resolve(), Path(erl).resolve().parent) if wrapper and erl else None


def unpacked() -> Server:
    if not debian_packages.has_apt():
        raise OpsError(WAYS)
    debian_packages.unpack_rabbitmq(Path(sys.prefix) / "rabbitmq")
    if found := find():
        return found
    raise OpsError(WAYS)


def node_environment(data: Path, server: Server, port: int) -> dict[str, str]:
    """Return the variables of a private node: own name, ports, cookie and folders, reachable from this machine only."""
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


def control(home: Home, *words: str, patience: float | None = None) -> str | None:
    """Return the output of `rabbitmqctl` on the private node; None if none runs here, OpsError if it fails."""
    node, server = processes.running(home, NAME), find()
    if node is None or server is None:
        return None
    command = [str(server.script.with_name("rabbitmqctl")), *words]
    # It must not start epmd if that is down: the keeper does, and nothing would stop a second one.
    environment = psutil.Process(node).environ() | {"ERL_ZFLAGS": "-start_epmd false"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=patience)
    except subprocess.TimeoutExpired:
        raise OpsError(f"rabbitmqctl {words[0]} takes longer than {patience:.0f} s") from None
    if done.returncode:
        raise OpsError(f"rabbitmqctl {words[0]} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def queues(home: Home) -> dict[str, dict[str, int]] | None:
    """Return messages and consumers of every queue that outlives its connection; None without a private node."""
    said = control(
        home,
        "list_queues",
        "--silent",
        "--formatter",
        "json",
        "name",
        "messages",
        "consumers",
        "owner_pid",
        patience=10,
    )
    if said is None:
        return None
    return {
        queue["name"]: {"messages": queue["messages"] or 0, "consumers": queue["consumers"] or 0}
        for queue in json.loads(said)
        if not queue["owner_pid"]
    }


async def answers(url: str) -> bool:
    """Tell whether a broker completes the AMQP handshake with these credentials."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # a refused connection is a normal result here
    try:
        async with asyncio.timeout(5):
            connection = await aiormq.connect(url)
            await connection.close()
    except (OSError, TimeoutError, ValueError, aiormq.AMQPError):
        return False
    return True


def engine() -> bool:
    """Tell whether Docker Compose is installed and its engine answers."""
    return bool(shutil.which("docker")) and not docker("compose", "ls").returncode


def compose(*words: str) -> None:
    """Run Docker Compose for this platform's broker; OpsError with its output if that fails.

    The project and login are its own: a platform that runs wholly in containers shares neither data nor queues with it.
    """
    login = urlsplit(COMMON)
    credentials = {"BROKER_USER": login.username or "", "BROKER_PASSWORD": login.password or ""}
    project = ["--file", str(REPO / "compose.yaml"), "--project-name", "sav-broker"]
    done = docker("compose", *project, *words, **credentials)
    if done.returncode:
        raise OpsError(f"Docker Compose could not {words[0]} the broker:\n{done.stderr.strip()}")


def docker(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *words], env=os.environ | variables, capture_output=True, text=True)
