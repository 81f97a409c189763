"""RabbitMQ and Erlang from Debian's or Ubuntu's packages, unpacked beside the Python environment.

They are unpacked and not installed: an installation needs root, starts a node of its own and stays behind.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from sav_ops.home import OpsError


def has_apt() -> bool:
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg"))


def unpack_rabbitmq(target: Path) -> None:
    """Fetch the packages (33 MB) and unpack them under `target`, completely or not at all."""
    lock = os.open(sys.prefix, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        if not target.exists():
            unpack(target)
    finally:
        os.close(lock)


def unpack(target: Path) -> None:
    work = target.with_name("rabbitmq.new")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    options: list[str] = []
    if not packages(options):  # no package lists, as in a fresh container: fetch our own
        (work / "lists" / "partial").mkdir(parents=True)
        (work / "cache" / "archives" / "partial").mkdir(parents=True)
        options = [
            "-o",
            f"Dir::State::lists={work}/lists",
            "-o",
            f"Dir::Cache={work}/cache",
            "-o",
            "APT::Sandbox::User=",
        ]
        run(["apt-get", *options, "update"], work)
    names = packages(options)
    if not names:
        raise OpsError("This system's package sources have no rabbitmq-server.")
    run(["apt-get", *options, "download", *names], work)
    root = work / "root"
    for package in sorted(work.glob("*.deb")):
        run(["dpkg", "-x", str(package), str(root)], work)
    for erl in [*root.glob("usr/lib/erlang/bin/erl"), *root.glob("usr/lib/erlang/erts-*/bin/erl")]:
        erl.write_text(
            erl.read_text().replace("ROOTDIR=/usr/lib/erlang", f"ROOTDIR='{target}/usr/lib/erlang'")
        )
    for plugin in root.glob("usr/lib/rabbitmq/lib/*/plugins/rabbitmq_*"):
        if (
            "prelaunch" not in plugin.name
        ):  # the node reads every plugin in this folder: without them it starts in half the time
            shutil.rmtree(plugin)
    root.rename(target)
    shutil.rmtree(work)


def packages(options: list[str]) -> list[str]:
    """Return the names of RabbitMQ's package and of the Erlang packages it needs, also of those installed already."""
    simulate = ["apt-get", *options, "-o", "Dir::State::status=/dev/null", "--no-install-recommends", "-s"]
    done = subprocess.run([*simulate, "install", "rabbitmq-server"], capture_output=True, text=True)
    found = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("Inst ")]
    return [name for name in found if name.startswith(("erlang-", "rabbitmq-"))]


def run(command: list[str], cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise OpsError(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")
