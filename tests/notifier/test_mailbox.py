"""Where there is no mail server, mail is kept in a folder, and never called sent."""

import os
from pathlib import Path

import pytest
from given_notifier import on_the_way
from kept_mails import kept_in

from sav_chassis.testing import Stage
from sav_contracts.notifier import NotificationFailed, NotificationKeptLocally


async def test_without_a_server_it_is_kept_and_never_called_sent(stage: Stage, mailbox: Path) -> None:
    await on_the_way(stage)
    kept = (await stage.runs_effects()).only(NotificationKeptLocally).state
    assert (kept.status, kept.attempts) == ("kept_locally", 1)
    assert len(list(mailbox.iterdir())) == 1


async def test_keeping_again_overwrites_the_same_file(stage: Stage, mailbox: Path) -> None:
    await on_the_way(stage)
    await stage.runs_effects()
    [kept] = mailbox.iterdir()
    written = kept.read_bytes()
    # Cut off before it was recorded.
    await stage.database.pool.execute("UPDATE notification SET status = 'queued'")
    await stage.database.pool.execute(
        """INSERT INTO task (use, key, lane, due, message, persons)
        SELECT 'effect', 'deliver ' || id, id, now(), json_build_object(
            'id', id, 'function', 'deliver', 'about', id, 'correlation_id', id), '{}' FROM notification"""
    )
    (await stage.runs_effects()).only(NotificationKeptLocally)
    assert list(mailbox.iterdir()) == [kept]
    # The same but for the line that separates the parts.
    assert len(kept.read_bytes()) == len(written)


async def test_nobody_finds_a_mail_half_written(
    stage: Stage, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[list[Path]] = []
    replace = os.replace

    def looking(part: Path, whole: Path) -> None:
        found.append(kept_in(mailbox))
        replace(part, whole)

    monkeypatch.setattr(os, "replace", looking)
    await on_the_way(stage)
    await stage.runs_effects()
    assert (found, len(kept_in(mailbox))) == ([[]], 1)


async def test_a_folder_that_cannot_be_written_is_tried_again(stage: Stage, mailbox: Path) -> None:
    mailbox.parent.mkdir(parents=True)
    mailbox.write_text("in the way")
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert failed.status == "failed"
    assert "mailbox folder" in (failed.reason or "")
    mailbox.unlink()
    assert (await stage.runs_effects()).only(NotificationKeptLocally).state.status == "kept_locally"


async def test_with_neither_server_nor_folder_the_record_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.settings, "mailbox", "")
    await on_the_way(stage)
    assert "SAV_MAILBOX" in ((await stage.runs_effects()).only(NotificationFailed).state.reason or "")
