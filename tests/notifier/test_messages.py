"""How messages read: every one of them, in both languages, as a mail program shows it."""

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from given_notifier import CLIENTS, GRANT, REFERENCE, client_profile, created, invited, moved
from notifier_cases import CASES, Case
from world import lea

from sav_chassis.identity import Links
from sav_chassis.testing import Stage, enveloped
from sav_contracts.auth.fields import Locale
from sav_notifier.rendering import rendered

TEMPLATES = {path.name for path in files("sav_notifier").joinpath("templates").iterdir()}
PARTS = {"closing", "safety", "words"}


def mails(mailbox: Path) -> list[EmailMessage]:
    """The kept mails, in the order of their names."""
    return [read(path) for path in sorted(mailbox.glob("*.eml"))]


def read(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return BytesParser(policy=policy.default).parse(file)  # type: ignore[return-value]


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part
    return str(part.get_content())


def html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part
    return str(part.get_content())


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
    state = case.event.state
    event = case.event
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
            assert "&#" not in written
            assert "&amp;" not in written
        assert "\n\n\n" not in text
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


def test_every_template_is_there_in_both_languages_and_has_a_case() -> None:
    used = {template for case in CASES for template in case.told}
    names = {f"{name}.{locale}.txt" for name in used | PARTS for locale in ("fr", "en")}
    assert names | {"layout.html"} == TEMPLATES


async def test_a_visit_is_written_as_people_say_it(stage: Stage, mailbox: Path) -> None:
    case = next(case for case in CASES if case.name == "booked as planned")
    await stage.hears(case.event)
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert mail["Subject"] == "Rendez-vous confirmé\N{NO-BREAK SPACE}: mardi 26 novembre 2126"
    assert "le mardi 26 novembre 2126, entre 9 h et 10 h." in plain(mail).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("resolution", ["no_repair", "estimate_refused", None])
@pytest.mark.parametrize("locale", ["fr", "en"])
def test_what_was_not_repaired_is_not_said_to_work(locale: Locale, resolution: str | None) -> None:
    facts = {
        "reference": REFERENCE,
        "article": "Chaudière",
        "resolution": resolution,
        "company": "SAV",
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
    text = plain(mail).replace("\N{NO-BREAK SPACE}", " ")
    assert "1 000,00 € par virement" in text
    assert "1er décembre 2026" in text
    assert "Il reste 234,80 € à régler." in text


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


async def test_what_people_write_stays_text(stage: Stage, mailbox: Path) -> None:
    nasty = 'Bonjour\n\nhttps://evil.example\n\n- "<script>alert(1)</script>" & {{ 7 * 7 }}'
    await stage.hears(created(description=nasty, article="<b>Chaudière</b>"))
    await stage.runs_effects()
    for mail in mails(mailbox):
        assert "<script" not in html(mail)
        assert "<b>" not in html(mail)
        assert "href" not in html(mail)
        assert "49" not in plain(mail)
        assert not any(line.startswith(("https://", '- "<')) for line in plain(mail).splitlines())


async def test_an_address_beyond_ascii_is_written_to(stage: Stage, mailbox: Path) -> None:
    await stage.knows(client_profile(lea, 'Zoë, «la» "Reine"', email="zoë@bücher.example", version=2))
    await stage.hears(moved("en_route"))
    await stage.runs_effects()
    [path] = mailbox.iterdir()
    assert "<zoë@xn--bcher-kva.example>".encode() in path.read_bytes()


LINKED = {
    "invitation": ("invitation", "POST /api/auth/invitations/accept"),
    "welcome": ("verify-email", "POST /api/auth/verify-email"),
    "verification": ("verify-email", "POST /api/auth/verify-email"),
    "sign-up repeated": ("password-reset", "POST /api/auth/password-reset/confirm"),
    "password reset": ("password-reset", "POST /api/auth/password-reset/confirm"),
}


@pytest.mark.parametrize("site", ["", "https://sav.example/"])
@pytest.mark.parametrize("name", LINKED)
async def test_a_link_leads_to_its_place_and_nothing_keeps_the_token(
    stage: Stage,
    mailbox: Path,
    site: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    purpose, route = LINKED[name]
    monkeypatch.setattr(stage.settings, "frontend_url", site)
    await stage.hears(next(case.event for case in CASES if case.name == name))
    await stage.runs_effects()
    token = Links(stage.settings.link_secret).token(purpose, GRANT)
    [mail] = mails(mailbox)
    if site:
        assert f"\n\nhttps://sav.example/{purpose}?token={token}\n\n" in plain(mail)
        assert f'href="https://sav.example/{purpose}?token={token}"' in html(mail)
    else:
        assert f"\n\n{token}\n\n" in plain(mail)
        assert route in plain(mail)
    assert token not in mail["Subject"]
    for kept in (await _database(stage), "".join(capfd.readouterr()), *map(str, mailbox.iterdir())):
        assert token not in kept
        assert stage.settings.link_secret not in kept
    assert str(GRANT) in await _database(stage), "or this would find nothing anywhere"


async def _database(stage: Stage) -> str:
    """Every row of every table, as text."""
    pool = stage.database.pool
    tables = await pool.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    rows = [await pool.fetch(f"SELECT t::text AS row FROM {table['name']} t") for table in tables]
    return "\n".join(row["row"] for table in rows for row in table)


def test_a_fact_that_is_missing_is_no_empty_place() -> None:
    with pytest.raises(Exception, match="'reference' is undefined"):
        rendered("reclamation_closed", "fr", "Léa", {"article": "Chaudière"})


def test_the_invited_are_greeted_by_name() -> None:
    facts = {
        **{"role": "technician", "expires_at": "2126-12-01T12:00:00Z", "company": "SAV & fils", "site": ""},
        **{"token": "abc", "link": ""},
    }
    message = rendered("invitation", "en", invited.name, facts)
    assert message.text.startswith("Hello Omar Diallo,\n\nAn account as technician")
    assert "SAV &amp; fils" in message.html
