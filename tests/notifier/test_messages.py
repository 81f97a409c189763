"""How messages read: every one of them, in both languages, as a mail program shows it."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from given_notifier import (
    CLIENTS,
    REFERENCE,
    account,
    booked,
    client_profile,
    conflict,
    created,
    invited,
    moved,
)
from kept_mails import html, mails, plain, read
from notifier_case import Case
from notifier_cases import CASES
from pydantic import ValidationError
from pydantic_core import from_json
from world import lea, marie

from sav_chassis.testing import Stage, enveloped
from sav_contracts.auth.account import UserInvited
from sav_contracts.auth.fields import Locale
from sav_contracts.calendar.conflict import ConflictDetected
from sav_contracts.slot import Slot
from sav_notifier.message import INTERNAL, MESSAGES, Message
from sav_notifier.message import message as declare
from sav_notifier.messages.reclamations import ReclamationIsClosed
from sav_notifier.recipients import managers, managers_and_admins
from sav_notifier.rendering import rendered, words_of


class Words(HTMLParser):
    """The text of a page, and whether its tags are balanced."""

    EMPTY = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("case", [case for case in CASES if case.told], ids=lambda case: case.name)
async def test_every_message_reads_well(stage: Stage, mailbox: Path, case: Case, locale: str) -> None:
    await stage.knows(*(profile.model_copy(update={"locale": locale, "version": 2}) for profile in CLIENTS))
    await _everybody_reads(stage, locale)
    for earlier in case.before:
        await stage.hears(earlier)
        await stage.runs_effects()
    state = case.event.state
    event = case.event
    if "visits_of_day" in case.told:
        # It lists what is booked when it is sent.
        await stage.knows(state.model_copy(update={"version": 9}))
    if "locale" in type(state).model_fields:
        event = event.model_copy(update={"state": state.model_copy(update={"locale": locale})})
    await stage.hears(enveloped(event, case.by))
    await stage.runs_effects()
    assert await stage.waiting() == []

    kept = mails(mailbox)
    assert len(kept) >= sum(map(len, case.told.values()))
    for mail in kept:
        text, page = plain(mail), Words(html(mail)).text
        assert mail["Content-Language"] == locale
        for written in (mail["Subject"], text, page):
            assert not re.search(r"\{|\}|None|True|False|Undefined|\b\d{4}-\d\d-\d\d\b|T\d\d:", written), (
                written
            )
            assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", written), "an internal id"
            of_none = "INT-" in written
            assert not (of_none and re.search("réclamation|claim", written, re.IGNORECASE)), "it is for none"
            assert "&#" not in written
            assert "&amp;" not in written
        assert "\n\n\n" not in text
        for piece in text.split("\n\n"):
            # A list of its own, or the page shows its lines as one paragraph.
            assert len({line.startswith("- ") for line in piece.splitlines()}) == 1, piece
        assert not re.search(r" {2}|[ \t]$", text, re.MULTILINE), text
        assert text.startswith("Bonjour " if locale == "fr" else "Hello ")
        for line in filter(None, (line.removeprefix("- ") for line in text.splitlines())):
            assert line in page


async def _everybody_reads(stage: Stage, locale: str) -> None:
    await stage.database.pool.execute(
        """UPDATE view SET doc = jsonb_set(doc::jsonb, '{locale}', to_jsonb($1::text))::json
        WHERE kind IN ('account', 'client')""",
        locale,
    )


def test_every_message_has_a_case_and_every_text_is_of_a_message() -> None:
    told = {template for case in CASES for template in case.told}
    assert told == MESSAGES.keys()
    texts = {
        path.name
        for path in files("sav_notifier").joinpath("messages").iterdir()
        if path.name.endswith(".txt")
    }
    assert texts == {f"{template}.{locale}.txt" for template in MESSAGES for locale in ("en", "fr")}


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("template", MESSAGES)
def test_a_text_says_all_facts_of_its_message_and_no_others(template: str, locale: Locale) -> None:
    message = MESSAGES[template]
    facts = {name for name, field in message.model_fields.items() if INTERNAL not in field.metadata}
    sent = {"company", "contact", "site"} | ({"link"} if message.declared.link else set())
    # Only where goods or forms are sent to the firm.
    made = {"locale", "subject", "blocks", "firm_address", "firm_email"}
    assert words_of(template, locale) - made == facts | sent


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_an_alert_to_managers_names_its_case_in_the_subject(locale: Locale) -> None:
    alerts = {
        template
        for template, message in MESSAGES.items()
        if message.declared.category == "alert" and message.declared.to in {managers, managers_and_admins}
        if "reference" in message.model_fields
    }
    assert {"visit_overdue", "co_dangerous", "help_asked"} <= alerts
    for template in alerts:
        text = files("sav_notifier").joinpath(f"messages/{template}.{locale}.txt").read_text()
        assert "{{ reference" in text.partition("\n")[0], template


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("template", MESSAGES)
def test_a_time_stands_in_no_brackets_as_it_may_have_some(template: str, locale: Locale) -> None:
    """Where it is read on another clock than the firm's, it says so in brackets."""
    text = files("sav_notifier").joinpath(f"messages/{template}.{locale}.txt").read_text()
    assert not re.search(r"\(\{\{[^}]*(window|span|moment)|(window|span|moment)\b[^}]*\}\} \(", text)


@pytest.mark.parametrize("template", MESSAGES)
def test_french_keeps_its_marks_beside_their_word(template: str) -> None:
    text = files("sav_notifier").joinpath(f"messages/{template}.fr.txt").read_text()
    assert re.findall(r".* [:;!?»].*|.*« .*", re.sub(r"{{.*?}}|{%.*?%}", "", text)) == []


@pytest.mark.parametrize("file", [f"messages/{template}" for template in MESSAGES] + ["templates/words"])
def test_english_has_round_apostrophes_and_nothing_before_percent(file: str) -> None:
    text = files("sav_notifier").joinpath(f"{file}.en.txt").read_text()
    assert re.findall(r".*\w'\w.*|.*}} %.*", text) == []


def test_what_is_about_security_or_safety_never_waits() -> None:
    for template, message in MESSAGES.items():
        declared, needless = message.declared, message.why_over is not Message.why_over
        assert not declared.settles or declared.takes_back or declared.lasting or needless, template
    for category in ("account", "alert"):
        with pytest.raises(TypeError, match="never waits"):
            declare("sooner", on=UserInvited, to=managers, category=category, settles=timedelta(1))(Message)


def test_a_fact_that_a_message_does_not_know_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValidationError, match="referense"):
        cast(Any, ReclamationIsClosed)(reference="R", article="A", referense="R")


async def test_a_visit_is_written_as_people_say_it(stage: Stage, mailbox: Path) -> None:
    case = next(case for case in CASES if case.name == "booked as planned")
    await stage.hears(case.event)
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert mail["Subject"] == "Rendez-vous confirmé\N{NO-BREAK SPACE}: mardi 26 novembre 2126"
    assert "le mardi 26 novembre 2126, entre 9 h et 10 h." in plain(mail).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("2126-11-23T16:54:40Z", "samedi 23 novembre 2126 à 17 h 54"),
        ("2126-11-23T17:09:00Z", "samedi 23 novembre 2126, entre 17 h 54 et 18 h 09"),
        (
            "2126-11-23T23:30:00Z",
            "samedi 23 novembre 2126, entre 17 h 54 et le dimanche 24 novembre 2126 à 0 h 30",
        ),
    ],
)
async def test_a_window_ends_later_than_it_begins(stage: Stage, mailbox: Path, end: str, said: str) -> None:
    start = datetime.fromisoformat("2126-11-23T16:54:00Z")
    until = datetime.fromisoformat(end)
    short = booked(start=start, end=until, arrival_from=start, arrival_until=until)
    await stage.hears(short)
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert f"le {said}." in plain(mail).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("9999-12-31T22:00:00-14:00", "9999-12-31T23:59:59-14:00"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T02:00:00+14:00"),
    ],
)
async def test_a_time_at_the_end_of_all_years_is_written_too(
    stage: Stage, mailbox: Path, start: str, end: str, locale: str
) -> None:
    """It was once taken, and is a conflict now: managers are told."""
    await _everybody_reads(stage, locale)
    wanted = Slot.model_validate({"start": start, "end": end})
    clash = conflict(wanted=wanted, problem="impossible_time")
    await stage.hears(ConflictDetected(state=clash))
    assert await stage.parked() == []
    await stage.runs_effects()
    assert await stage.waiting() == []


@pytest.mark.parametrize("resolution", ["no_repair", "estimate_refused", None])
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_what_was_not_repaired_is_not_said_to_work(locale: Locale, resolution: str | None) -> None:
    facts = {
        "reference": REFERENCE,
        "article": "Chaudière",
        "resolution": resolution,
        "days": 7,
        "company": "SAV",
        "contact": "",
        "site": "",
    }
    message = rendered("reclamation_resolved", locale, "Léa", facts)
    assert not re.search("fonctionne|working|works|réparation de|repair of", message.subject + message.text)
    if resolution == "estimate_refused":
        assert {"fr": "après le refus du devis", "en": "after the estimate was refused"}[
            locale
        ] in message.text


@pytest.mark.parametrize("name", ["scheduled", "scheduled later"])
async def test_a_technician_reads_when_where_and_what(stage: Stage, mailbox: Path, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    for earlier in case.before:
        await stage.hears(earlier)
    await stage.runs_effects()
    before = set(mailbox.glob("*.eml"))
    await stage.hears(case.event)
    await stage.runs_effects()
    [kept] = set(mailbox.glob("*.eml")) - before
    text = plain(read(kept)).replace("\N{NO-BREAK SPACE}", " ")
    for said in (
        "mardi 26 novembre 2126, de 9 h à 11 h",
        "12 rue des Lilas",
        "code 24A",
        "Chaudière Azur 24",
    ):
        assert said in text


async def test_amounts_and_dates_follow_the_language(stage: Stage, mailbox: Path) -> None:
    case = next(case for case in CASES if case.name == "paid in part")
    await stage.hears(case.event)
    await stage.runs_effects()
    [mail] = mails(mailbox)
    text = plain(mail).replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "1 000,00 € par virement" in text
    assert "1er décembre 2026" in text
    assert "Il reste 234,80 € à régler." in text


@pytest.mark.parametrize("name", ["nearly overdue: legal", "overdue: legal"])
async def test_the_legal_time_ends_with_the_day_of_the_place(stage: Stage, mailbox: Path, name: str) -> None:
    await stage.hears(next(case for case in CASES if case.name == name).event)
    await stage.runs_effects()
    for mail in mails(mailbox):
        assert re.search("30 (novembre|November) 2126", plain(mail).replace("\N{NO-BREAK SPACE}", " "))


@pytest.mark.parametrize(
    ("opened_by", "email", "instructed"),
    [
        (lea.id, "", True),
        (marie.id, "lea@example.com", True),
        (marie.id, "", False),
    ],
)
async def test_managers_give_the_safety_instructions_to_whom_nobody_else_gave_them(
    stage: Stage, opened_by: UUID, email: str, instructed: bool
) -> None:
    await stage.knows(
        client_profile(lea, "Léa Bernard", email=email, version=2),
        account(lea, "Léa Bernard", email=email, version=2),
    )
    safety = {"gas_smell": True}
    await stage.hears(created(safety=safety, priority="critical", opened_by=opened_by))
    facts = [
        from_json(row["facts"])
        for row in await stage.database.pool.fetch(
            "SELECT facts::text FROM notification WHERE template = 'reclamation_new'"
        )
    ]
    assert {fact["instructed"] for fact in facts} == {instructed}
    words: dict[Locale, str] = {
        "fr": "donnez-lui les consignes",
        "en": "give them the safety instructions",
    }
    for locale, said in words.items():
        mail = rendered(
            "reclamation_new", locale, "Marie", facts[0] | {"company": "SAV", "contact": "", "site": ""}
        )
        assert (said in mail.text) is not instructed


async def test_safety_comes_first(stage: Stage, mailbox: Path) -> None:
    case = next(case for case in CASES if case.name == "a dangerous réclamation")
    await stage.hears(case.event)
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea" in mail["To"]]
    text = plain(mail)
    assert text.index("112") < text.index(REFERENCE)
    assert "0\N{NO-BREAK SPACE}800" in text
    assert mail["Subject"].startswith("Votre sécurité d’abord")


async def test_a_kept_mail_is_whole_and_says_from_whom_to_whom(stage: Stage, mailbox: Path) -> None:
    await stage.hears(moved("en_route"))
    outcome = await stage.runs_effects()
    state = outcome.events[0].state
    [path] = mailbox.iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}-lea@example\.org-karim-haddad-est-en-route-[0-9a-f]{8}\.eml", path.name)
    mail = read(path)
    assert str(mail["To"]) == "Léa Bernard <lea@example.org>"
    assert str(mail["From"]) == "SAV <sav@example.com>"
    assert str(mail["Message-ID"]) == f"<{state.id}@example.com>"
    assert mail["Date"].datetime == state.created_at.replace(microsecond=0)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "multipart/alternative"
    charsets = [part.get_content_charset() for part in mail.iter_parts()]
    assert charsets == ["utf-8", "utf-8"]
    assert path.read_bytes().isascii()
    assert "Léa Bernard" in plain(mail)
    assert "Léa Bernard" in html(mail)


async def test_old_rows_with_what_nobody_can_type_any_more_are_sent(stage: Stage, mailbox: Path) -> None:
    await stage.hears(moved("en_route"))
    odd = r'"Ka\u0000r\u001b[31mim\ud83d \u202eHaddad\u2028\u2028fin"'
    await stage.database.pool.execute(
        "UPDATE notification SET facts = replace(facts::text, '\"Karim Haddad\"', $1)::json", odd
    )
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert mail["Subject"] == "Kar[31mim Haddad fin est en route"
    assert "\nKar[31mim Haddad fin " in plain(mail)


async def test_an_address_beyond_ascii_is_written_to(stage: Stage, mailbox: Path) -> None:
    await stage.knows(client_profile(lea, 'Zoë, «la» "Reine"', email="zoë@straße.example", version=2))
    await stage.hears(moved("en_route"))
    await stage.runs_effects()
    [path] = mailbox.iterdir()
    assert "<zoë@xn--strae-oqa.example>".encode() in path.read_bytes()


def test_a_fact_that_is_missing_is_no_empty_place() -> None:
    with pytest.raises(Exception, match="'reference' is undefined"):
        rendered("reclamation_closed", "fr", "Léa", {"article": "Chaudière"})


def test_the_invited_are_greeted_by_name() -> None:
    facts = {
        **{
            "role": "technician",
            "expires_at": "2126-12-01T12:00:00Z",
            "company": "SAV & fils",
            "contact": "",
            "site": "",
        },
        **{"zone": "Europe/Paris", "link": "https://sav.example/invitation?token=abc"},
    }
    message = rendered("invitation", "en", invited.name, facts)
    assert message.text.startswith("Hello Omar Diallo,\n\nAn account as technician")
    assert "SAV &amp; fils" in message.html
