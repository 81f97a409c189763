"""What `sav` keeps between runs, under $SAV_HOME: settings, process ids, logs and the data of its own servers."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

REPO = Path(__file__).resolve().parents[3]
# What the caller's shell sets wins over what we made; a variable set to nothing is not set.
GIVEN = {name: value for name, value in os.environ.items() if value or not name.startswith("SAV_")}


# Who needs which key: auth signs tokens, auth and notifier sign links.
SECRETS = {"SAV_SIGNING_KEY": {"auth"}, "SAV_LINK_SECRET": {"auth", "notifier"}}


class Problem(Exception):
    """Something the person at the terminal can act on; the text says what and how."""


class Home:
    """One folder with everything that belongs to one running platform."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.root.mkdir(parents=True, exist_ok=True)
        self._one_at_a_time = Lock()
        self.run = self.folder("run")
        self.logs = self.folder("logs")

    @classmethod
    def default(cls) -> "Home":
        return cls(Path(os.environ.get("SAV_HOME") or REPO / ".sav"))

    def folder(self, name: str) -> Path:
        """Return a folder that only this user reads."""
        path = self.root / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let one `up` or `down` work at a time; the next one waits."""
        folder = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def settings(self) -> dict[str, str]:
        """Return the settings made for this home (SAV_… variables); the first call makes keys and secrets."""
        with self._one_at_a_time:
            file = self.root / "env"
            if not file.exists():
                self._write(make_secrets())
            saved: dict[str, str] = json.loads(file.read_text())
            return saved

    def remember(self, name: str, value: str) -> None:
        """Keep a setting for the next time."""
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
        """Return the variables of a room's process (None: ourselves); keys reach those who sign with them only."""
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
        """Make a home at `place` for a room that runs apart: of our keys and secrets it holds the room's own only."""
        told = self.environment(room)
        Home(place)._write({name: told[name] for name in self.settings() if name in told})


def make_secrets() -> dict[str, str]:
    from sav_chassis.identity import new_key  # imports half of the chassis, once in a home's life

    private, public = new_key()
    return {
        "SAV_SIGNING_KEY": private,
        "SAV_PUBLIC_KEYS": json.dumps(public),
        "SAV_LINK_SECRET": secrets.token_urlsafe(32),
    }


def free_port(preferred: int = 0) -> int:
    """Return the preferred port, or one of the next ten, or any, that nobody has on this machine."""
    for port in (*range(preferred, preferred + 10), 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise Problem("No free TCP port.")
