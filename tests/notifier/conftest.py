"""Notifier on its stage: everybody is known, and mail goes to a folder of each test's own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from given_notifier import KNOWN, invited
from mail_server import Post, listening
from notifier_cases_by_hand import KNOWN_TOO
from notifier_cases_orders import BILLED

from sav_chassis.service import Service
from sav_chassis.testing import Stage
from sav_notifier.app import notifier


@pytest.fixture
def mailbox(tmp_path: Path) -> Path:
    return tmp_path / "mail" / "box"


@pytest.fixture
async def stage(
    stages: Callable[[Service], Awaitable[Stage]], mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    stage = await stages(notifier)
    await stage.clear()
    await stage.knows(*KNOWN, *KNOWN_TOO, *BILLED, invited)
    monkeypatch.setattr(stage.settings, "mailbox", str(mailbox))
    return stage


@pytest.fixture
async def post(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    """A mail server is configured."""
    post = Post()
    async with listening(post) as port:
        monkeypatch.setattr(stage.settings, "smtp_url", f"smtp://127.0.0.1:{port}")
        yield post
