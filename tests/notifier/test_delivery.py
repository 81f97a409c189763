"""Delivery: through a real SMTP server in all its moods, or into the folder; the record tells the truth."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from certificate import self_signed
from given_notifier import (
    BORN,
    DRAFT,
    ISSUED,
    LATER,
    SLOT,
    account,
    appointment,
    booked,
    client_profile,
    conflict,
    created,
    feedback,
    invitation,
    invited,
    invoice,
    moved,
    product,
    reclamation,
    report,
    scheduled,
    visit,
)
from notifier_cases import CASES
from world import lea

from sav_chassis.testing import Outcome, Stage
from sav_contracts.messages import Event, View
from sav_contracts.notifier import (
    NotificationChanged,
    NotificationFailed,
    NotificationSent,
    NotificationStatus,
)
from sav_notifier import mail
from sav_notifier.model import GIVEN_UP_AFTER


@dataclass
class Post:
    """A server that takes mail, or says what a test wants it to say: each answer once, then it is friendly."""

    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    cut: int = 0
    silent: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.silent:
            await self.released.wait()
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.seen.append(str(message["Message-ID"]))
        if self.cut:
            self.cut -= 1
            assert server.transport
            server.transport.abort()
            return "250 nobody hears this"
        if self.data:
            return self.data.pop(0)
        self.taken.append(message)
        return "250 taken"


@asynccontextmanager
async def listening(post: Post, **options: object) -> AsyncIterator[int]:
    """Lets the server listen on a port of its own."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(post, hostname="post.example", enable_SMTPUTF8=True, loop=loop, **options),  # type: ignore[arg-type]
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        post.released.set()
        server.close()


def signs_in(server: object, session: object, envelope: object, mechanism: str, login: object) -> AuthResult:
    """Knows `sav` and its password."""
    assert isinstance(login, LoginPassword)
    return AuthResult(success=(login.login, login.password) == (b"sav", b"p@ss"))


@pytest.fixture
async def post(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Post]:
    """A mail server is configured."""
    post = Post()
    async with listening(post) as port:
        monkeypatch.setattr(stage.settings, "smtp_url", f"smtp://127.0.0.1:{port}")
        yield post


async def on_the_way(stage: Stage) -> None:
    await stage.hears(moved("en_route"))


async def status(stage: Stage) -> NotificationStatus:
    found: NotificationStatus = await stage.database.pool.fetchval("SELECT status FROM notification")
    return found


async def test_what_the_server_takes_is_sent(stage: Stage, post: Post) -> None:
    await on_the_way(stage)
    sent = (await stage.runs_effects()).only(NotificationSent).state
    assert (sent.status, sent.attempts, sent.reason) == ("sent", 1, None)
    assert sent.sent_at
    [message] = post.taken
    assert str(message["To"]) == "Léa Bernard <lea@example.org>"
    assert str(message["Message-ID"]) == f"<{sent.id}@example.com>"
    assert message["Subject"] == sent.subject
    assert await stage.waiting() == []


async def test_everybody_gets_their_own_mail(stage: Stage, post: Post) -> None:
    await stage.hears(created())
    await stage.runs_effects()
    assert sorted(message["To"].addresses[0].addr_spec for message in post.taken) == [
        *("lea@example.org", "marie@example.com", "nadia@example.com"),
    ]


async def test_a_recipient_that_does_not_exist_is_dead_with_the_servers_words(
    stage: Stage, post: Post
) -> None:
    post.rcpt = ["550 5.1.1 <lea@example.org> no such mailbox"]
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert (failed.status, failed.attempts, failed.sent_at) == ("dead", 1, None)
    assert failed.reason == "550 5.1.1 <…> no such mailbox"
    assert await stage.waiting() == []
    assert (await stage.runs_effects()).events == []


async def test_a_refused_text_is_dead_too(stage: Stage, post: Post) -> None:
    post.data = ["554 5.7.1 looks like spam"]
    await on_the_way(stage)
    assert (await stage.runs_effects()).only(NotificationFailed).state.status == "dead"


async def test_not_now_is_tried_again_and_told_once(stage: Stage, post: Post) -> None:
    post.rcpt = ["451 4.2.0 try later"] * 2
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert (failed.status, failed.reason, failed.attempts) == ("failed", "451 4.2.0 try later", 1)
    [waiting] = await stage.waiting()
    assert "TryLater" in (waiting.why or "")
    assert "lea@" not in (waiting.why or "")

    assert (await stage.runs_effects()).events == []
    sent = (await stage.runs_effects()).only(NotificationSent).state
    assert (sent.status, sent.reason, sent.attempts) == ("sent", None, 3)
    assert len(post.taken) == 1


async def test_another_reason_is_told_again(stage: Stage, post: Post) -> None:
    post.rcpt = ["451 greylisted", "452 mailbox full", "550 gone"]
    await on_the_way(stage)
    told = [(await stage.runs_effects()).only(NotificationFailed).state for _ in range(3)]
    assert [(state.status, state.reason) for state in told] == [
        ("failed", "451 greylisted"),
        ("failed", "452 mailbox full"),
        ("dead", "550 gone"),
    ]


async def test_a_server_that_never_answers_is_left(
    stage: Stage, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "ANSWERED_WITHIN", 0.2)
    post.silent = True
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert (failed.status, failed.reason) == ("failed", "Timed out waiting for server response")

    post.silent = False
    assert (await stage.runs_effects()).only(NotificationSent).state.status == "sent"


async def test_all_of_it_together_has_an_end(
    stage: Stage, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "SENT_WITHIN", 0.2)
    monkeypatch.setattr(mail, "ANSWERED_WITHIN", 0.5)
    post.silent = True
    await on_the_way(stage)
    assert (await stage.runs_effects()).only(NotificationFailed).state.reason == "no answer within 0 s"


async def test_a_connection_cut_in_the_text_sends_it_again_under_the_same_id(
    stage: Stage, post: Post
) -> None:
    post.cut = 1
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert failed.status == "failed"
    assert (await stage.runs_effects()).only(NotificationSent).state.attempts == 2
    assert post.seen == [f"<{failed.id}@example.com>"] * 2


async def test_nobody_listening_is_tried_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(Post()) as port:
        pass
    monkeypatch.setattr(stage.settings, "smtp_url", f"smtp://127.0.0.1:{port}")
    await on_the_way(stage)
    assert (await stage.runs_effects()).only(NotificationFailed).state.status == "failed"
    assert len(await stage.waiting()) == 1


@pytest.mark.parametrize(("password", "taken"), [("p%40ss", 1), ("wrong", 0)])
async def test_who_must_sign_in_does_and_a_wrong_password_is_not_the_messages_fault(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str, taken: int
) -> None:
    context, trusted = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    # The server says nothing any more after a wrong password, not even goodbye.
    monkeypatch.setattr(mail, "ANSWERED_WITHIN", 1.0)
    post = Post()
    options = {"authenticator": signs_in, "auth_required": True, "tls_context": context}
    async with listening(post, **options) as port:
        monkeypatch.setattr(stage.settings, "smtp_url", f"smtp://sav:{password}@127.0.0.1:{port}")
        await on_the_way(stage)
        [event] = (await stage.runs_effects()).events
    assert len(post.taken) == taken
    assert (await status(stage)) == ("sent" if taken else "failed")
    assert password not in event.model_dump_json()


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")
async def test_a_password_never_travels_in_clear(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    post, asked = Post(), []

    def heard(*said: object) -> AuthResult:
        asked.append(said)
        return AuthResult(success=True)

    async with listening(post, authenticator=heard, auth_required=True, auth_require_tls=False) as port:
        monkeypatch.setattr(stage.settings, "smtp_url", f"smtp://sav:secret@127.0.0.1:{port}")
        await on_the_way(stage)
        failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert (failed.status, asked, post.taken) == ("failed", [], [])


async def test_after_a_day_the_record_says_that_it_is_over(stage: Stage, post: Post) -> None:
    post.rcpt = ["451 busy"] * 3
    await on_the_way(stage)
    await stage.runs_effects()
    stage.ahead = GIVEN_UP_AFTER - timedelta(minutes=5)
    assert (await stage.runs_effects()).events == []
    stage.ahead = GIVEN_UP_AFTER + timedelta(minutes=5)
    dead = (await stage.runs_effects()).only(NotificationFailed).state
    assert (dead.status, dead.attempts) == ("dead", 3)
    assert await stage.waiting() == []


async def test_a_run_after_a_crash_sends_nothing_twice_where_it_was_recorded(
    stage: Stage, post: Post
) -> None:
    await on_the_way(stage)
    await stage.runs_effects()
    await stage.database.pool.execute(
        """INSERT INTO task (use, key, lane, due, message, persons)
        SELECT 'effect', 'deliver ' || id, id, now(), json_build_object(
            'id', id, 'function', 'deliver', 'about', id, 'correlation_id', id), '{}' FROM notification"""
    )
    assert (await stage.runs_effects()).events == []
    assert len(post.taken) == 1


async def test_without_a_server_it_is_kept_and_never_called_sent(stage: Stage, mailbox: Path) -> None:
    await on_the_way(stage)
    kept = (await stage.runs_effects()).only(NotificationSent).state
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
    (await stage.runs_effects()).only(NotificationSent)
    assert list(mailbox.iterdir()) == [kept]
    # The same but for the line that separates the parts.
    assert len(kept.read_bytes()) == len(written)


async def test_nobody_finds_a_mail_half_written(
    stage: Stage, mailbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[list[Path]] = []
    replace = os.replace

    def looking(part: Path, whole: Path) -> None:
        found.append(_kept(mailbox))
        replace(part, whole)

    monkeypatch.setattr(os, "replace", looking)
    await on_the_way(stage)
    await stage.runs_effects()
    assert (found, len(_kept(mailbox))) == ([[]], 1)


async def test_a_folder_that_cannot_be_written_is_tried_again(stage: Stage, mailbox: Path) -> None:
    mailbox.parent.mkdir(parents=True)
    mailbox.write_text("in the way")
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert failed.status == "failed"
    assert "mailbox folder" in (failed.reason or "")
    mailbox.unlink()
    assert (await stage.runs_effects()).only(NotificationSent).state.status == "kept_locally"


async def test_with_neither_server_nor_folder_the_record_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.settings, "mailbox", "")
    await on_the_way(stage)
    assert "SAV_MAILBOX" in ((await stage.runs_effects()).only(NotificationFailed).state.reason or "")


async def test_a_message_that_cannot_be_written_says_so_and_is_left_to_ops(
    stage: Stage, mailbox: Path
) -> None:
    await on_the_way(stage)
    facts = await stage.database.pool.fetchval("SELECT facts FROM notification")
    await stage.database.pool.execute("UPDATE notification SET facts = '{}'")
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    reason = "UndefinedError in technician_on_the_way"
    assert (failed.status, failed.reason, failed.attempts) == ("failed", reason, 1)
    [waiting] = await stage.waiting()
    assert "UndefinedError" in (waiting.why or "")
    assert (await stage.runs_effects()).events == []

    # Once it is mended it goes.
    await stage.database.pool.execute("UPDATE notification SET facts = $1", facts)
    assert (await stage.runs_effects()).only(NotificationSent).state.reason is None
    assert await stage.waiting() == []


async def test_a_fault_of_ours_names_nobody(stage: Stage, mailbox: Path) -> None:
    await stage.hears(booked())
    await stage.database.pool.execute(
        'UPDATE notification SET facts = facts::jsonb || \'{"arrival_from": "Léa Bernard"}\''
    )
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert failed.reason == "ValueError in appointment_booked"


OVERTAKEN: list[tuple[str, View]] = [
    ("booked as planned", appointment(status="cancelled", version=2)),
    ("booked as planned", appointment(start=SLOT.start + timedelta(hours=1), version=2)),
    ("booked as planned", visit(status="cancelled", version=2)),
    ("planned without a time", visit(status="cancelled", version=2)),
    ("scheduled", visit(status="cancelled", slot=SLOT, version=3)),
    ("scheduled", visit(slot=LATER, version=3)),
    ("scheduled", visit(version=3)),
    ("on the way", visit(status="on_site", version=4)),
    ("invitation", invited.model_copy(update={"status": "active", "version": 2})),
    ("another address to confirm", account(lea, "Léa Bernard", email="lea.martin@example.com", version=2)),
    ("assigned", reclamation(technician_id=None, status="qualified", version=2)),
    ("resolved by repaired", reclamation(status="closed", version=6)),
    ("conflict", conflict(status="resolved", version=2)),
    ("proof submitted", product(proof_state="accepted", version=2)),
    ("report submitted", report(status="validated", version=2)),
    ("report sent back", report(status="submitted", version=3)),
    ("invoice drafted", invoice(id=DRAFT, **ISSUED)),
    ("invoice issued", invoice(**(ISSUED | {"status": "credited", "version": 4}))),
    ("feedback invited", feedback(status="given", version=2)),
    ("a réclamation", reclamation(status="cancelled", version=2)),
]


@pytest.mark.parametrize(("name", "newer"), OVERTAKEN)
async def test_what_became_stale_is_not_sent(stage: Stage, mailbox: Path, name: str, newer: View) -> None:
    await _told(stage, name)
    await stage.knows(newer)
    outcome = await stage.runs_effects()
    dropped = [event.state for event in outcome.events if isinstance(event, NotificationChanged)]
    assert dropped
    assert {state.status for state in dropped} == {"suppressed"}
    assert all(state.reason and "overtaken" in state.reason for state in dropped)
    assert len(_kept(mailbox)) == len(outcome.events) - len(dropped)


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _ in OVERTAKEN))
async def test_an_older_copy_makes_nothing_stale(stage: Stage, mailbox: Path, name: str) -> None:
    """The copies of records come by another queue than the events that are told."""
    await _told(stage, name)
    outcome = await stage.runs_effects()
    assert {event.state.status for event in outcome.events} == {"kept_locally"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "event",
    [
        booked(start=BORN, end=BORN + timedelta(hours=2)),
        invitation(expires_at=BORN),
        scheduled(SLOT.model_copy(update={"start": BORN, "end": BORN + timedelta(hours=1)})),
    ],
    ids=["appointment", "invitation", "visit"],
)
async def test_what_is_over_is_not_sent(stage: Stage, mailbox: Path, event: Event) -> None:
    await stage.hears(event)
    outcome = await stage.runs_effects()
    assert [event.state.reason for event in outcome.events] == ["its time is over"]  # type: ignore[attr-defined]
    assert _kept(mailbox) == []


async def test_who_left_meanwhile_is_not_written_to(stage: Stage, mailbox: Path) -> None:
    await on_the_way(stage)
    await stage.knows(account(lea, "Léa Bernard", status="closed", version=9))
    assert (await stage.runs_effects()).only(NotificationChanged).state.reason == "the account is closed"
    assert _kept(mailbox) == []


async def test_a_mail_that_waited_is_sent_to_todays_address(stage: Stage, post: Post) -> None:
    post.rcpt = ["451 later"]
    await on_the_way(stage)
    await stage.runs_effects()
    await stage.knows(client_profile(lea, "Léa Bernard", email="new@example.org", version=2))
    await stage.runs_effects()
    assert post.taken[0]["To"].addresses[0].addr_spec == "new@example.org"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("another address to confirm", "lea.martin@example.com"),
        ("another address asked for", "lea.signs.in@example.com"),
        ("another address", "lea.before@example.com"),
    ],
)
async def test_what_is_about_an_address_goes_to_that_one(
    stage: Stage, post: Post, name: str, address: str
) -> None:
    await _told(stage, name)
    await stage.knows(account(lea, "Léa Bernard", email="lea.by.now@example.com"))
    await stage.runs_effects()
    assert [mail["To"].addresses[0].addr_spec for mail in post.taken] == [address]


async def _told(stage: Stage, name: str) -> Outcome:
    case = next(case for case in CASES if case.name == name)
    return await stage.hears(case.event)


def _kept(mailbox: Path) -> list[Path]:
    return list(mailbox.glob("*.eml"))
