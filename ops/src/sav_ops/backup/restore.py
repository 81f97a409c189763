"""`sav restore`: puts the contents of a backup into a home, which continues from there without a contradiction."""

import asyncio
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import typer

from sav_chassis import migrate
from sav_chassis.files import copy_files
from sav_chassis.settings import Settings
from sav_ops import queues, rooms
from sav_ops.backup import after_restore, backup
from sav_ops.backup.after_restore import Invoices
from sav_ops.backup.backup import BROKER, DATABASES, FILES, MAJOR, SETTINGS, Manifest, done, sized
from sav_ops.home import GIVEN, Home, OpsError
from sav_ops.launch import platform, postgres, processes, rabbitmq
from sav_ops.replay import heal, rebuild
from sav_ops.settings import known_settings, read_settings
from sav_ops.terminal.console import out
from sav_ops.terminal.progress_bar import counting
from sav_ops.terminal.steps import step
from sav_ops.terminal.text import printable
from sav_ops.verify import verification

# Where the restored home is prepared before anything in the home is changed.
STAGE = "restoring"
# What a restore replaces; the settings come last, since nothing starts without them.
REPLACED = (SETTINGS, "rabbitmq", FILES, DATABASES)
PATIENCE = 60.0

ON_THE_SERVER = """SAV_DATABASE_URL names a server that SAV does not run, so its operator puts the databases back:
  1. stop every room, then that PostgreSQL ({version})
  2. put {pg} in the place of its data directory (owner postgres, mode 0700), and start it
  3. put {files} where SAV_FILES_URL says, and the keys of {env} where your settings are
  4. ./sav restored      versions and references go on well ahead, invoices as you say, queues are emptied
  5. ./sav up --no-demo, ./sav replay heal all, ./sav verify"""
BROKER_ELSEWHERE = """[yellow]! This broker is not one that ./sav up runs. Its users and the queues of subscribers:
  rabbitmqctl import_definitions {definitions}[/]"""


def put_back(
    home: Home, place: Path, answer: Invoices, overwrite: bool, yes: bool, without_damaged: bool = False
) -> bool:
    """Restore a backup into this home, start and heal everything.

    False if `verify` finds a contradiction, or something that is parked or still waits. OpsError if it cannot be restored.
    """
    place = place.absolute()
    with step("Backup"):
        manifest = backup.read(place)
    if GIVEN.get("SAV_DATABASE_URL"):
        parts = {"pg": place / DATABASES, "files": place / FILES, "env": place / SETTINGS}
        raise OpsError(ON_THE_SERVER.format(version=manifest.postgresql, **parts))
    expect_same_release(manifest)
    with home.lock():
        expect_nothing_runs(home)
        there = data_in(home)
        if there and not overwrite:
            raise OpsError(
                f"{home.root} has data ({', '.join(there)}): --overwrite removes them, or choose another SAV_HOME."
            )
        tell_what_will_be(home, manifest, there)
        if there and not yes:
            typer.confirm(f"Remove what is in {home.root} and go back to the backup?", abort=True)
        stage = home.root / STAGE
        try:
            fill(stage, place, manifest, answer, without_damaged)
            take_over(home, stage, manifest)
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    start_broker(home, place, manifest)
    platform.up(home, demo=False, fill=rebuild.fill)
    return healed(known_settings(home))


def tell_what_will_be(home: Home, manifest: Manifest, there: list[str]) -> None:
    age = datetime.now(UTC) - manifest.moment
    lines = [
        f"Everything in {home.root} becomes what it was on {manifest.moment:%F %T} UTC, {str(age).partition('.')[0]} ago:",
        f"databases ({sized(manifest.databases_bytes)}), {manifest.files:,} files ({sized(manifest.files_bytes)}), keys and",
        "settings, the broker's users and subscribers' queues. All queues begin empty. What happened since is lost.",
    ]
    if there:
        lines.append(f"Removed: {', '.join(there)}.")
    out.print(printable("\n".join(lines)), markup=False, soft_wrap=True)


def expect_same_release(manifest: Manifest) -> None:
    """Raise an OpsError if this code or its PostgreSQL cannot read the backup."""
    if int(manifest.postgresql.partition(".")[0]) != MAJOR:
        raise OpsError(f"The backup is of PostgreSQL {manifest.postgresql}; this SAV brings version {MAJOR}.")
    newer = [
        f"{room} ({table} {revision})"
        for room, made in manifest.migrations.items()
        for table, revision in made.items()
        if room not in rooms.ROOMS or revision > migrate.newest(room)[table]
    ]
    if newer:
        raise OpsError(f"The backup is of a newer release of SAV than this one: {', '.join(newer)}.")


def expect_nothing_runs(home: Home) -> None:
    runs = [name for name in (rabbitmq.NAME, postgres.NAME) if processes.running(home, name)]
    if running := [*platform.started(home), *runs]:
        raise OpsError(f"{', '.join(running)} run in {home.root}: ./sav down first.")


def data_in(home: Home) -> list[str]:
    """Return the names in the home that a restore would remove."""
    return [name for name in REPLACED if (home.root / name).exists()]


def fill(root: Path, place: Path, manifest: Manifest, answer: Invoices, without_damaged: bool) -> None:
    """Create a home with everything in the backup, and raise its versions and numbers (`after_restore`)."""
    postgres.stop(Home(root))  # what an interrupted restore left
    shutil.rmtree(root)
    stage = Home(root)
    for name, value in json.loads((place / SETTINGS).read_text()).items():
        stage.remember(name, value)
    files(stage, place, manifest, without_damaged)
    with step("Databases") as now:
        copy_cluster(place / DATABASES, stage.root / DATABASES)
        now.note = sized(manifest.databases_bytes)
    try:
        with step("PostgreSQL"):
            postgres.start(stage, 0)
        settings = read_settings(stage)
        with step("Migrations"):
            asyncio.run(platform.migrate(settings))
        asyncio.run(after_restore.jump(settings, answer, after_restore.asked))
    finally:
        postgres.stop(stage)


def files(stage: Home, place: Path, manifest: Manifest, without_damaged: bool) -> None:
    """Copy the files; OpsError if some are damaged or gone, unless `without_damaged`."""
    store = read_settings(stage).files_url
    with counting("Files") as tell:
        copied = asyncio.run(copy_files((place / FILES).as_uri(), store, tell))
    lacks = [f"{file} is damaged" for file in copied.damaged]
    if gone := manifest.files - copied.files - len(copied.damaged):
        lacks.append(f"{gone} of {manifest.files:,} are gone")
    if lacks and not without_damaged:
        raise OpsError(
            f"Of the backup's files {', '.join(lacks)}. Nothing was changed. --without-damaged-files goes on without them;"
            " ./sav verify names the records that lack them then."
        )
    done("Files", f"{copied.files:,}, {sized(copied.size)}")


def copy_cluster(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    target.chmod(0o700)
    if os.geteuid() == 0:
        for path in (target, *target.rglob("*")):
            os.chown(path, *postgres.nobody())


def take_over(home: Home, stage: Path, manifest: Manifest) -> None:
    """Replace the data in the home with the staged ones."""
    for name in REPLACED:
        platform.remove(home.root / name)
    for name in reversed(REPLACED):
        if (stage / name).exists():
            (stage / name).rename(home.root / name)
    if manifest.rabbitmq:
        # So that `up` starts a private node again, even if another broker answers now.
        home.folder("rabbitmq")


def start_broker(home: Home, place: Path, manifest: Manifest) -> None:
    """Start the broker before anything is published: with empty queues, and with the backup's subscribers."""
    if not GIVEN.get("SAV_BROKER_URL") and manifest.rabbitmq:
        with step("RabbitMQ"):
            rabbitmq.start(home)
            rabbitmq.control(home, "import_definitions", str(place / BROKER))
        return
    platform.broker(home)
    asyncio.run(queues.empty(known_settings(home).broker_url))
    if manifest.rabbitmq:
        out.print(BROKER_ELSEWHERE.format(definitions=place / BROKER), soft_wrap=True)


def healed(settings: Settings) -> bool:
    """Give every room what was still in the queues at the backup's moment; return whether everything agrees then."""
    # What is parked there may just wait for another event of this moment: `verify` waits for it, and names what stays.
    heal.show_everything(settings)
    with step("Verify") as now:
        findings = asyncio.run(verification.verify(settings, PATIENCE))
        now.note = f"{len(findings)} contradiction(s)" if findings else "everything agrees"
    for line in findings:
        out.print(printable(line), markup=False, soft_wrap=True)
    return not findings
