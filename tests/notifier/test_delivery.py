"""Delivery through a real SMTP server in all its moods; the record tells the truth."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from attacks import ATTACK, UNDECODABLE
from certificate import self_signed
from foreign import Reader
from given_notifier import BORN, booked, client_profile, created, on_the_way
from kept_mails import kept_in
from mail_server import Post, listening
from world import lea

from sav_chassis.startup_checks import CannotStart
from sav_chassis.testing import Stage
from sav_contracts.claims.reclamation import Safety
from sav_contracts.notifier import (
    NotificationFailed,
    NotificationKeptLocally,
    NotificationSent,
    NotificationStatus,
)
from sav_notifier import mail
from sav_notifier.model import GIVEN_UP_AFTER, Notification
from sav_notifier.recipients import Recipient
from sav_notifier.rendering import Rendered

HEADERS = (
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"),
    "content-language",
)


def signs_in(server: object, session: object, envelope: object, mechanism: str, login: object) -> AuthResult:
    """Knows `sav` and its password."""
    assert isinstance(login, LoginPassword)
    return AuthResult(success=(login.login, login.password) == (b"sav", b"p@ss"))


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


async def test_a_server_and_the_folder_get_the_same_bytes(stage: Stage, post: Post, mailbox: Path) -> None:
    written = mail.composed(*a_letter(f"Zoë {ATTACK}", "zoë@example.com"), "Société <sav@example.com>")
    assert await mail.posted(written, stage.settings, "one.eml") == mail.DeliveryResult("sent")
    folder = stage.settings.model_copy(update={"smtp_url": ""})
    assert await mail.posted(written, folder, "one.eml") == mail.DeliveryResult("kept_locally")
    assert [written.content] == post.bytes_taken == [(mailbox / "one.eml").read_bytes()]


@pytest.mark.parametrize(("email", "said"), [("zoë@example.com", True), ("zoe@bücher.example", False)])
async def test_only_what_needs_it_asks_the_server_for_more_than_ascii(
    stage: Stage, post: Post, email: str, said: bool
) -> None:
    written = mail.composed(*a_letter("Zoë", email), "Société <sav@example.com>")
    assert await mail.posted(written, stage.settings, "one.eml") == mail.DeliveryResult("sent")
    assert ("SMTPUTF8" in post.options) is said


def a_letter(name: str, email: str) -> tuple[Notification, Recipient, Rendered]:
    notification = Notification(id=lea.id, created_at=BORN, locale="fr")
    return (
        notification,
        Recipient(lea.id, name, email, "fr", None, True),
        Rendered("Été", ".\nÉté\n", "<p>Été\n"),
    )


@pytest.mark.parametrize("name", [ATTACK, UNDECODABLE, "<img src='http://", 'Léa "la Reine", SAV'])
async def test_encoded_words_that_somebody_typed_arrive_as_they_were_typed(
    stage: Stage, post: Post, mailparser: Reader, name: str
) -> None:
    await stage.knows(client_profile(lea, name, email="lea@example.org", version=2))
    await stage.hears(created(article=name, safety=Safety(gas_smell=True), priority="critical"))
    assert {event.state.status for event in (await stage.runs_effects()).events} == {"sent"}
    read = [mailparser.read(b64encode(each).decode()) for each in post.bytes_taken]
    names = {each["to"][0]["address"]: each["to"][0]["name"] for each in read}
    assert names.pop("lea@example.org") == name
    assert set(names.values()) == {"Marie Leroy", "Nadia Jones", "Alex Admin"}
    assert {tuple(each["headers"]) for each in read} == {HEADERS}
    subjects = [each["subject"] for each in read if each["subject"].startswith("[DANGER] ")]
    assert [subject.endswith(f" – {name}") for subject in subjects] == [True] * 3


async def test_an_address_that_is_none_is_dead_and_says_so(stage: Stage, mailbox: Path) -> None:
    await stage.knows(client_profile(lea, "Léa", email="=?utf-8?b?eA==?=@example.org", version=2))
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert (failed.status, failed.reason) == ("dead", "the address would be read as another one")
    assert (kept_in(mailbox), await stage.waiting()) == ([], [])


async def test_what_a_server_says_in_bytes_of_its_own_is_recorded_as_text(stage: Stage, post: Post) -> None:
    post.rcpt = [b"550 bo\xeete pleine\x00\x1b[31m <lea@example.org>"]
    await on_the_way(stage)
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert (failed.status, failed.reason) == ("dead", "550 bote pleine[31m <…>")


@pytest.mark.parametrize("setting", ["SAV", "SAV, fils <sav@example.com>", "a@example.com, b@example.com"])
def test_a_sender_that_is_no_address_is_said_at_the_start(stage: Stage, setting: str) -> None:
    with pytest.raises(CannotStart, match="SAV_MAIL_FROM"):
        mail.check_mail(stage.settings.model_copy(update={"mail_from": setting}), "notifier")


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


async def test_a_message_that_cannot_be_written_says_so_and_is_left_to_ops(
    stage: Stage, mailbox: Path
) -> None:
    await on_the_way(stage)
    facts = await stage.database.pool.fetchval("SELECT facts FROM notification")
    await stage.database.pool.execute("UPDATE notification SET facts = '{}'")
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    reason = "ValidationError in technician_on_the_way"
    assert (failed.status, failed.reason, failed.attempts) == ("failed", reason, 1)
    [waiting] = await stage.waiting()
    assert waiting.why
    assert (await stage.runs_effects()).events == []

    # Once it is mended it goes.
    await stage.database.pool.execute("UPDATE notification SET facts = $1", facts)
    assert (await stage.runs_effects()).only(NotificationKeptLocally).state.reason is None
    assert await stage.waiting() == []


async def test_a_fault_of_ours_names_nobody(stage: Stage, mailbox: Path) -> None:
    await stage.hears(booked())
    await stage.database.pool.execute(
        'UPDATE notification SET facts = facts::jsonb || \'{"arrival_from": "Léa Bernard"}\''
    )
    failed = (await stage.runs_effects()).only(NotificationFailed).state
    assert failed.reason == "ValidationError in appointment_booked"
