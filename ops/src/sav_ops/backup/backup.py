"""`sav backup`: copies everything that cannot be generated again, as of one moment, while the platform works."""

import asyncio
import hashlib
import json
import os
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import asyncpg
from pydantic import BaseModel, ValidationError

from sav_chassis import topology
from sav_chassis.files import copy_files
from sav_chassis.settings import Settings
from sav_ops import rooms
from sav_ops.databases import connected
from sav_ops.home import GIVEN, Home, OpsError
from sav_ops.launch import platform, postgres, processes, rabbitmq
from sav_ops.settings import known_settings
from sav_ops.terminal.console import out
from sav_ops.terminal.progress_bar import Tell, counting
from sav_ops.terminal.text import printable

DATABASES, FILES, BROKER, SETTINGS, MANIFEST = "pg", "files", "broker.json", "env", "manifest.json"
# The suffix of a backup's folder until everything is in it.
UNFINISHED = ".unfinished"
# PostgreSQL's own list of its files and their hashes.
CLUSTER_MANIFEST = "pg/backup_manifest"
MAJOR = 18
COPIED = re.compile(r"(\d+)/(\d+) kB")
THE_MOMENT = "write-ahead log end point"
MAY_COPY = "SELECT rolsuper OR rolreplication FROM pg_roles WHERE rolname = current_user"

ELSEWHERE = """[yellow]! Not in it: the broker's users, and the queues of whoever subscribes. This broker is not one that
./sav up runs, or it does not run. On its machine: rabbitmqctl export_definitions broker.json[/]"""


class Manifest(BaseModel):
    """The contents of a backup; it is written last."""

    format: Literal[1] = 1
    # Everything committed before it is in the backup, nothing that was committed later.
    moment: datetime
    postgresql: str
    # RabbitMQ's version; None if the broker's users and subscribers are not in the backup.
    rabbitmq: str | None
    # For each room, the newest migration of its own tables, and of the chassis' tables.
    migrations: dict[str, dict[str, str]]
    databases_bytes: int
    files: int
    files_bytes: int
    # Files that were already damaged in the store: they are not in the backup.
    damaged: list[str]
    # Names of settings that came from the caller's shell: they are not in the backup.
    settings_elsewhere: list[str]
    sha256: dict[str, str]


def take(home: Home, place: Path) -> Manifest:
    """Write a backup into a new folder that only this user may read; it gets its final name when it is complete.

    OpsError if the folder exists, or the databases cannot be copied.
    """
    os.umask(0o077)  # a backup holds keys, password hashes and personal data
    place = place.absolute()
    if place.exists():
        raise OpsError(f"{place} is there already: name a folder that does not exist yet.")
    settings = known_settings(home)
    platform.expect_database(settings)
    version, migrations = asyncio.run(versions(settings))
    new = place.with_name(place.name + UNFINISHED)
    shutil.rmtree(new, ignore_errors=True)  # what an interrupted backup left
    try:
        new.mkdir(parents=True)
    except OSError as error:
        raise OpsError(f"{new} cannot be made: {error.strerror}.") from None
    with counting("Databases") as tell:
        moment = copy_databases(settings.database_url, new / DATABASES, tell)
    done("Databases", sized(databases_bytes := size(new / DATABASES)))
    # After the databases, so that every file that they name is there.
    with counting("Files") as tell:
        copied = asyncio.run(copy_files(settings.files_url, (new / FILES).as_uri(), tell))
    done("Files", f"{copied.files:,}, {sized(copied.size)}")
    definitions = broker_definitions(home, new / BROKER)
    done("Broker", said(definitions) if definitions else "not in it")
    (new / SETTINGS).write_text(json.dumps(home.settings(), indent=1))
    kept = [CLUSTER_MANIFEST, SETTINGS] + ([BROKER] if definitions else [])
    manifest = Manifest(
        moment=moment,
        postgresql=version,
        rabbitmq=definitions["rabbitmq_version"] if definitions else None,
        migrations=migrations,
        databases_bytes=databases_bytes,
        files=copied.files,
        files_bytes=copied.size,
        damaged=copied.damaged,
        settings_elsewhere=sorted(name for name in GIVEN if name.startswith("SAV_") and name != "SAV_HOME"),
        sha256={name: digest(new / name) for name in kept},
    )
    (new / MANIFEST).write_text(manifest.model_dump_json(indent=1))
    os.sync()
    new.rename(place)
    show(place, manifest)
    return manifest


def show(place: Path, manifest: Manifest) -> None:
    """Print where the backup is, and what it lacks."""
    for file in manifest.damaged:
        out.print(
            f"[red]! The file {file} is damaged in the store: it is not in the backup.[/]", soft_wrap=True
        )
    if manifest.rabbitmq is None:
        out.print(ELSEWHERE, soft_wrap=True)
    if manifest.settings_elsewhere:
        out.print(
            f"[yellow]! Not in it, given by your shell: {', '.join(manifest.settings_elsewhere)}[/]",
            soft_wrap=True,
        )
    out.print(
        printable(f"\nEverything up to {manifest.moment:%F %T} UTC is in {place}, with the keys: keep it where "
        "passwords are kept."),
        markup=False,
        soft_wrap=True,
    )  # fmt: skip


def read(place: Path) -> Manifest:
    """Check a backup against its hashes, and return its manifest; OpsError if it is incomplete or damaged."""
    if place.name.endswith(UNFINISHED) or not (place / MANIFEST).exists():
        raise OpsError(f"{place} is no whole backup: it was interrupted, or is something else.")
    try:
        manifest = Manifest.model_validate_json((place / MANIFEST).read_text())
    except ValidationError:
        raise OpsError(
            f"{place} was made by another release of SAV, which wrote backups otherwise."
        ) from None
    changed = [name for name, hash in manifest.sha256.items() if digest(place / name) != hash]
    if changed:
        raise OpsError(f"{place} is damaged: {', '.join(changed)} is not as it was written.")
    checked = postgres.tool("pg_verifybackup", "--quiet", "--exit-on-error", place / DATABASES)
    if checked.returncode:
        raise OpsError(f"{place} is damaged:\n{checked.stderr.strip()}")
    return manifest


def copy_databases(url: str, target: Path, tell: Tell) -> datetime:
    """Copy the whole server with pg_basebackup; return the moment of the copy."""
    server = urlsplit(url)
    login = {
        "PGHOST": server.hostname or "",
        "PGPORT": str(server.port or 5432),
        "PGUSER": unquote(server.username or ""),
        "PGPASSWORD": unquote(server.password or ""),
    }
    words = ["--pgdata", str(target), "--wal-method", "stream", "--checkpoint", "fast", "--no-password"]
    # `take` syncs everything once, at its end.
    words += ["--manifest-checksums", "SHA256", "--progress", "--verbose", "--no-sync"]
    moment, said = None, []
    with subprocess.Popen(
        [postgres.BIN / "pg_basebackup", *words],
        env=postgres.bare_environment() | login,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as copying:
        for line in copying.stderr or ():
            if THE_MOMENT in line:
                moment = datetime.now(UTC)
            if progress := COPIED.search(line):
                tell(*map(int, progress.groups()))
            else:
                said.append(line.strip())
    if copying.returncode or moment is None:
        raise OpsError(refusal("\n".join(said), login["PGUSER"]))
    return moment


def refusal(said: str, user: str) -> str:
    """Return why pg_basebackup did not copy the server, and what its operator can change."""
    cures = {
        "no pg_hba.conf entry": f"Its pg_hba.conf lets {user} in, but not to copy the server. Add this line for the "
        f"address of this machine, then reload it:\n  host replication {user} <address>/32 scram-sha-256",
        "wal_level": "It does not write what a copy needs: set wal_level = replica, and start it again.",
        "max_wal_senders": "It sends too few copies at once: set max_wal_senders = 10, and start it again.",
        "incompatible server version": f"It is newer than this pg_basebackup ({MAJOR}): use the one that came with it.",
    }
    for sign, cure in cures.items():
        if sign in said:
            return f"The database server cannot be copied. {cure}"
    return f"The database server could not be copied:\n{said}"


async def versions(settings: Settings) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the server's version, and each room's newest migrations; OpsError if the user may not copy the server."""
    server = await asyncpg.connect(settings.database_url, database="postgres", timeout=5)
    try:
        if not await server.fetchval(MAY_COPY):
            user = await server.fetchval("SELECT current_user")
            raise OpsError(
                f"{user} may not copy the database server. A superuser allows it with:\n"
                f'  ALTER ROLE "{user}" REPLICATION;'
            )
        version = str(await server.fetchval("SHOW server_version"))
    finally:
        await server.close()
    migrations: dict[str, dict[str, str]] = {}
    for room in rooms.ROOMS:
        async with connected(settings, room) as database:
            migrations[room] = {
                table: await database.fetchval(f"SELECT version_num FROM {table}")
                for table in ("chassis_version", "room_version")
            }
    return version, migrations


def broker_definitions(home: Home, target: Path) -> dict[str, Any] | None:
    """Write and return the private broker's definitions (users, rights, subscribers' queues) without SAV's own queues.

    None if no private broker runs.
    """
    if not processes.running(home, rabbitmq.NAME):
        return None
    rabbitmq.control(home, "export_definitions", str(target))
    definitions: dict[str, Any] = json.loads(target.read_text())
    ours = {*topology.wanted(), topology.DEAD}
    definitions["queues"] = [queue for queue in definitions["queues"] if queue["name"] not in ours]
    definitions["bindings"] = [
        bound
        for bound in definitions["bindings"]
        if bound["destination_type"] != "queue" or bound["destination"] not in ours
    ]
    target.write_text(json.dumps(definitions, indent=1))
    return definitions


def done(name: str, note: str) -> None:
    out.print(f"[green]✓[/] {name:<12} {note}", soft_wrap=True)


def said(definitions: dict[str, Any]) -> str:
    return f"{len(definitions['users'])} users, {len(definitions['queues'])} queues of subscribers"


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sized(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
