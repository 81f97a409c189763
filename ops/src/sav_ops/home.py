"""What `sav` stores under $SAV_HOME between runs: settings, process ids, logs and the data of its own servers."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

REPO = Path(__file__).resolve().parents[3]
# Variables of the caller's shell win over the settings of the home; an empty SAV_… variable counts as not set.
GIVEN = {name: value for name, value in os.environ.items() if value or not name.startswith("SAV_")}
# Which rooms get which secret: auth signs tokens; these sign links or check them.
LINKING = {"auth", "notifier", "claims", "interventions", "calendar", "reporting"}
SECRETS = {"SAV_SIGNING_KEY": {"auth"}, "SAV_LINK_SECRET": LINKING}
# Nobody else may read a home. Root's home can be traversed, because PostgreSQL runs as nobody.
CLOSED = 0o700 if os.geteuid() else 0o711
# The log of the command line itself.
OPS_LOG = "ops"


class OpsError(Exception):
    """A problem that the operator can solve; the text says what is wrong and what to do."""


class Home:
    """The folder of one platform."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.root.mkdir(mode=CLOSED, parents=True, exist_ok=True)
        self._one_at_a_time = Lock()
        self.run = self.folder("run")
        self.logs = self.folder("logs")

    @classmethod
    def default(cls) -> "Home":
        return cls(Path(os.environ.get("SAV_HOME") or REPO / ".sav"))

    def folder(self, name: str) -> Path:
        """Return a folder of the home that only this user may read; create it where it is missing."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def close(self, ours: Collection[str]) -> None:
        """Remove the rights of other users on these entries, which an older version granted.

        The home itself is closed only where it holds nothing else.
        """
        there = {path.name: path for path in self.root.iterdir()}
        for path in (there[name] for name in there.keys() & set(ours)):
            narrow(path, 0o700)
        if there.keys() <= set(ours):
            narrow(self.root, CLOSED)

    @contextmanager
    def lock(self, wait: bool = True) -> Iterator[bool]:
        """Let one `up`, `down` or `restart` work at a time; the next one waits.

        Without `wait` it yields whether the lock was free.
        """
        folder = os.open(self.root, os.O_RDONLY)
        try:
            ours = True
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                ours = False
            yield ours
        finally:
            os.close(folder)

    def settings(self) -> dict[str, str]:
        """Return the settings stored in this home (SAV_… variables); the first call creates keys and secrets."""
        with self._one_at_a_time:
            file = self.root / "env"
            if not file.exists():
                self._write(make_secrets())
            saved: dict[str, str] = json.loads(file.read_text())
            return saved

    def remember(self, name: str, value: str) -> None:
        """Store a setting in this home."""
        self.settings()
        with self._one_at_a_time:
            self._write(json.loads((self.root / "env").read_text()) | {name: value})

    def _write(self, settings: dict[str, str]) -> None:
        new = self.root / "env.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(settings, out, indent=1)
        new.replace(self.root / "env")

    def environment(self, room: str | None = None) -> dict[str, str]:
        """Return the variables of a room's process (None: of this one); a room gets only the secrets it needs."""
        places = {
            "SAV_FILES_URL": (self.root / "files").as_uri(),
            "SAV_MAILBOX": str(self.root / "mailbox"),
        }
        merged = {**places, **self.settings(), **GIVEN, "SAV_HOME": str(self.root)}
        for secret, holders in SECRETS.items():
            if room is not None and room not in holders:
                merged.pop(secret, None)
        return merged

    def share(self, room: str, place: Path) -> None:
        """Create a home at `place` for a room in a container: of the secrets it holds only those of the room."""
        environment = self.environment(room)
        Home(place)._write({name: environment[name] for name in self.settings() if name in environment})


def narrow(path: Path, most: int) -> None:
    """Remove every permission that is not in `most`."""
    mode = path.stat().st_mode & 0o777
    if mode & ~most:
        path.chmod(mode & most)


def make_secrets() -> dict[str, str]:
    from sav_chassis.identity import new_key  # slow: it imports half of the chassis, needed once for a home

    private, public = new_key()
    return {
        "SAV_SIGNING_KEY": private,
        "SAV_PUBLIC_KEYS": json.dumps(public),
        "SAV_LINK_SECRET": secrets.token_urlsafe(32),
    }


def free_port(preferred: int = 0) -> int:
    """Return a free port of this machine: the preferred one, one of the nine after it, or any.

    Free at every address: RabbitMQ looks at all of them before it starts.
    """
    for port in (*range(preferred, preferred + 10), 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OpsError("No free TCP port.")


def reached(host: str) -> str:
    """Return the address to connect to, on this machine, for a server that listens on `host`."""
    return "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
