"""The file store: what was put is there, once, and as it was; a room without one does not start."""

import hashlib
from pathlib import Path

import pytest

from sav_chassis.errors import Unavailable
from sav_chassis.files import FileLost, Files, check_files, copy_files
from sav_chassis.settings import Settings
from sav_chassis.startup_checks import CannotStart
from sav_contracts.files import StoredFile

PAPER = b"%PDF-1.7 a receipt %%EOF"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "in a" / "folder é"


@pytest.fixture
def files(folder: Path) -> Files:
    return Files(folder.as_uri())


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_is_found_as_it_was_put(files: Files) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    assert (file.sha256, file.size) == (hashlib.sha256(PAPER).hexdigest(), len(PAPER))
    assert (file.media_type, file.name) == ("application/pdf", "reçu.pdf")
    assert await files.get(file) == PAPER


async def test_another_process_finds_it(files: Files, folder: Path) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    assert await Files(folder.as_uri()).get(file) == PAPER


async def test_the_same_bytes_are_kept_once(files: Files, folder: Path) -> None:
    first = await files.put(PAPER, "application/pdf", "reçu.pdf")
    [path] = kept(folder)
    written = path.stat()
    again = await files.put(PAPER, "application/pdf", "facture.pdf")
    assert again == first.model_copy(update={"name": "facture.pdf"})
    [path] = kept(folder)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert str(path.relative_to(folder)) == f"{first.sha256[:2]}/{first.sha256[2:]}"


async def test_the_folder_is_for_nobody_else(files: Files, folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


async def test_a_file_that_is_gone_is_said_to_be_lost(files: Files, folder: Path) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    kept(folder)[0].unlink()
    with pytest.raises(FileLost, match=file.sha256):
        await files.get(file)


async def test_a_file_that_was_changed_is_not_handed_out(files: Files, folder: Path) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    kept(folder)[0].write_bytes(PAPER.replace(b"receipt", b"reciept"))
    with pytest.raises(FileLost, match="other bytes"):
        await files.get(file)


async def test_one_that_was_cut_off_is_healed_when_it_is_put_again(files: Files, folder: Path) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    kept(folder)[0].write_bytes(PAPER[:5])
    await files.put(PAPER, "application/pdf", "reçu.pdf")
    assert await files.get(file) == PAPER


async def test_a_bucket_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "here",
    }.items():
        monkeypatch.setenv(name, value)
    files = Files("s3://bucket/prefix")
    with pytest.raises(Unavailable):
        await files.put(PAPER, "application/pdf", "reçu.pdf")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "files",
        "/var/files",
        "memory:///",
        "ftp://host/files",
        "https://host/files",
        "s3://",
        "file:///proc/x",
    ],
)
def test_without_a_place_for_files_a_room_does_not_start(url: str) -> None:
    with pytest.raises(CannotStart, match=r"edge: SAV_FILES_URL.*give a folder"):
        check_files(Settings(files_url=url), "edge")


def test_with_a_place_for_files_it_starts(tmp_path: Path) -> None:
    check_files(Settings(files_url=(tmp_path / "files").as_uri()), "edge")
    check_files(Settings(files_url="s3://bucket/prefix"), "edge")


async def test_another_store_gets_every_file_but_the_damaged_ones(
    files: Files, folder: Path, tmp_path: Path
) -> None:
    file, damaged = [await files.put(content, "application/pdf", "x.pdf") for content in (PAPER, PAPER * 2)]
    (folder / damaged.sha256[:2] / damaged.sha256[2:]).write_bytes(b"other bytes")
    (folder / "notes.txt").write_text("somebody else's")
    told: list[tuple[int, int]] = []
    copy = tmp_path / "copy"
    copied = await copy_files(folder.as_uri(), copy.as_uri(), lambda *progress: told.append(progress))
    assert copied == (1, len(PAPER), [damaged.sha256])
    assert await Files(copy.as_uri()).get(file) == PAPER
    assert [path.name for path in kept(copy)] == [file.sha256[2:]]
    assert told[-1] == (2, 2)


async def test_what_is_derived_from_a_file_is_kept_beside_it_and_may_be_lost(
    files: Files, folder: Path, tmp_path: Path
) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    other = await files.put(PAPER + b"\n", "application/pdf", "reçu.pdf")
    assert await files.derived(file, "small.1") is None
    await files.keep_derived(file, "small.1", b"a smaller one")
    assert await Files(folder.as_uri()).derived(file, "small.1") == b"a smaller one"
    assert await files.derived(file, "medium.1") is None
    assert await files.derived(other, "small.1") is None
    # It is no file of the store: nothing finds it by its hash, and a backup leaves it out.
    derived = StoredFile(
        sha256=hashlib.sha256(b"a smaller one").hexdigest(), media_type="image/png", size=13, name="a.png"
    )
    with pytest.raises(FileLost):
        await files.get(derived)
    copy = tmp_path / "copy"
    assert await copy_files(folder.as_uri(), copy.as_uri(), lambda done, all: None) == (
        2,
        2 * len(PAPER) + 1,
        [],
    )
    assert len(kept(copy)) == 2
    assert await Files(copy.as_uri()).derived(file, "small.1") is None


async def test_a_store_that_is_away_is_said_to_be_so_for_what_is_derived(folder: Path, files: Files) -> None:
    file = await files.put(PAPER, "application/pdf", "reçu.pdf")
    (folder / "derived").write_text("not a folder")
    with pytest.raises(Unavailable):
        await files.keep_derived(file, "small.1", b"x")
