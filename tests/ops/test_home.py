"""What a home keeps, and who is told what."""

import json
import os
import socket
from pathlib import Path

import pytest

from sav_ops import home as homes
from sav_ops.home import Home, free_port
from sav_ops.launch.platform import OURS, wipe


def test_keys_and_secrets_are_made_once_and_only_this_user_reads_them(tmp_path: Path) -> None:
    first = Home(tmp_path).settings()
    assert Home(tmp_path).settings() == first
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" in first["SAV_SIGNING_KEY"]
    (public,) = json.loads(first["SAV_PUBLIC_KEYS"]).values()
    assert "PUBLIC KEY" in public


def test_only_auth_gets_the_signing_key(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert "SAV_SIGNING_KEY" in home.environment("auth")
    assert all(
        "SAV_SIGNING_KEY" not in home.environment(room) for room in ("claims", "interventions", "edge")
    )


def test_what_the_shell_sets_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    home.remember("SAV_EDGE_PORT", "8080")
    monkeypatch.setitem(homes.GIVEN, "SAV_EDGE_PORT", "9000")
    assert home.environment("edge")["SAV_EDGE_PORT"] == "9000"


def test_a_port_that_somebody_has_is_not_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port


def test_wiping_leaves_what_is_not_ours(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.settings()
    (tmp_path / "holiday.jpg").touch()
    for name in ("files", "mailbox"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "of somebody").touch()
    wipe(home)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
    assert "env" in OURS


def test_an_older_home_that_others_could_read_is_closed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for folder in (home.root, home.folder("mailbox"), home.logs):
        folder.chmod(0o755)
    home.close(OURS)
    open_to_others = 0o077 if os.geteuid() else 0o066  # root lets PostgreSQL pass
    assert home.root.stat().st_mode & open_to_others == 0
    assert {path.stat().st_mode & 0o077 for path in home.root.iterdir()} == {0}


def test_a_folder_with_things_of_others_keeps_its_mode(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "holiday.jpg").touch()
    tmp_path.chmod(0o755)
    home.close(OURS)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_port_that_is_taken_at_another_address_is_not_free() -> None:
    """RabbitMQ does not start where the port between its nodes is taken at any address."""
    with socket.socket() as other:
        other.bind(("127.0.0.2", 0))
        other.listen()
        port = other.getsockname()[1]
        assert free_port(port) != port
