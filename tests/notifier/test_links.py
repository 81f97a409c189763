"""Which links are in a mail: ours lead to their place, and nobody else puts one in."""

import re
from base64 import b64encode
from html import escape
from pathlib import Path
from typing import Any

import pytest
from foreign import Reader
from given_notifier import GRANT, REFERENCE, account, client_profile, created
from given_orders import ORDER
from kept_mails import html, mails, plain
from notifier_cases import CASES
from world import lea

from sav_chassis.identity import Links
from sav_chassis.testing import Stage
from sav_contracts.auth.account import AccountView
from sav_contracts.claims.client import ClientView
from sav_notifier.rendering import rendered
from sav_notifier.user_text import one_line


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


@pytest.mark.parametrize(
    "name", ["⚠ Votre compte est bloqué", "- Karim", "https://evil.example", "a\u2028\u2028⚠ b"]
)
def test_a_name_makes_no_warning_no_list_and_no_link_of_its_own(name: str) -> None:
    facts = {
        "technician": name,
        "reference": REFERENCE,
        "company": "SAV",
        "contact": "",
        "site": "",
        "link": "",
    }
    usual, odd = (
        rendered("technician_on_the_way", "fr", "Léa", facts | {"technician": each})
        for each in ("Karim", name)
    )
    assert odd.html == usual.html.replace("Karim", one_line(name))


def test_a_text_that_stands_alone_is_no_link_of_ours() -> None:
    facts = {
        "article": "A",
        "reference": REFERENCE,
        "recommendations": "x",
        "corrected": False,
        "company": "https://evil.example",
    }
    message = rendered(
        "report_available", "fr", "Léa", facts | {"contact": "", "site": "", "link": "https://sav.example/a"}
    )
    assert re.findall('href="(.*?)"', message.html) == ["https://sav.example/a"]


def unproven(**fields: object) -> tuple[AccountView, ClientView]:
    """Léa at an address that nobody has confirmed."""
    name = "Gagnez http://evil.example"
    return account(lea, name, version=2, **fields), client_profile(
        lea, name, email="lea@example.org", version=2
    )


async def test_a_stranger_gets_no_links_of_others(stage: Stage, mailbox: Path, mailparser: Reader) -> None:
    await stage.knows(*unproven())
    await stage.hears(created(article="Voir www.evil\u200b.example, a@evil.example"))
    await stage.runs_effects()
    [path] = [path for path in mailbox.iterdir() if "lea@" in path.name]
    read = mailparser.read(b64encode(path.read_bytes()).decode())
    # Only the firm’s own address, in the footer.
    assert re.findall('href="(.*?)"', read["linked"]) == ["mailto:contact@example.com"]
    assert "Bonjour Gagnez http: / /evil. example,\n" in read["text"]
    assert "Voir www. evil. example, a@evil. example" in read["text"]


@pytest.mark.parametrize("proven", [{"email_verified": True}, {"status": "invited"}], ids=str)
async def test_who_confirmed_the_address_or_was_invited_reads_what_was_typed(
    stage: Stage, mailbox: Path, proven: dict[str, object]
) -> None:
    await stage.knows(*unproven(**proven))
    await stage.hears(created(article="notice sur www.azur.example"))
    await stage.runs_effects()
    for mail in mails(mailbox):
        assert "notice sur www.azur.example" in plain(mail)
        assert ("lea" in mail["To"]) is ("Bonjour Gagnez http://evil.example,\n" in plain(mail))


async def test_another_address_is_a_strangers_until_it_is_confirmed(stage: Stage, mailbox: Path) -> None:
    asked = next(case.event for case in CASES if case.name == "another address to confirm")
    state = asked.state.model_copy(update={"name": "evil.example", "email_verified": True})
    await stage.knows(state.model_copy(update={"version": state.version + 1}))
    await stage.hears(asked.model_copy(update={"state": state}))
    await stage.runs_effects()
    [mail] = mails(mailbox)
    assert plain(mail).startswith("Bonjour evil. example,\n")


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "a stranger's"])
async def test_only_a_confirmed_address_gets_the_link_to_choose_another_time(
    stage: Stage, mailbox: Path, confirmed: bool
) -> None:
    await stage.knows(*unproven(email_verified=confirmed))
    case = next(case for case in CASES if case.name == "other times for the client")
    for earlier in case.before:
        await stage.hears(earlier)
    await stage.hears(case.event)
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    assert ("/times?token=" in plain(mail)) is confirmed
    assert ("Dites-nous lequel vous convient" in plain(mail)) is not confirmed


LINKED = {
    "invitation": "invitation",
    "invitation of a client": "invitation",
    "welcome": "verify-email",
    "verification": "verify-email",
    "another address to confirm": "change-email",
    "sign-up repeated": "password-reset",
    "password reset": "password-reset",
}
# The settings, and where the links of a French mail lead then.
SITES = [
    ({"frontend_url": "https://sav.example/"}, "https://sav.example/{page}?token={token}"),
    (
        {"frontend_url": "https://sav.example", "public_url": "https://api.example"},
        "https://sav.example/{page}?token={token}",
    ),
    ({"public_url": "https://api.example/"}, "https://api.example/{page}?token={token}&lang=fr"),
    ({"edge_port": 8123}, "http://127.0.0.1:8123/{page}?token={token}&lang=fr"),
    ({"edge_host": "0.0.0.0", "edge_port": 8123}, "http://127.0.0.1:8123/{page}?token={token}&lang=fr"),
]


async def test_who_is_asked_how_the_visit_was_says_it_by_a_link(stage: Stage, mailbox: Path) -> None:
    asked = next(case.event for case in CASES if case.name == "feedback invited")
    await stage.hears(asked)
    await stage.runs_effects()
    [mail] = mails(mailbox)
    token = Links(stage.settings.link_secret).token("feedback", asked.state.id)
    assert f"/feedback?token={token}&lang=fr\n" in plain(mail).replace("\r", "")
    assert "dans votre espace" not in plain(mail)


@pytest.mark.parametrize("confirmed", [True, False], ids=["confirmed", "a stranger's"])
@pytest.mark.parametrize("name", ["invoice issued", "a credit note", "report validated", "an attestation"])
async def test_a_paper_is_linked_but_never_to_an_address_that_nobody_confirmed(
    stage: Stage, mailbox: Path, name: str, confirmed: bool
) -> None:
    await stage.knows(*unproven(email_verified=confirmed))
    made = next(case.event for case in CASES if case.name == name)
    await stage.hears(made)
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    link = f"/paper?token={Links(stage.settings.link_secret).token('paper', made.state.id)}&lang=fr"
    assert (f"{link}\n" in plain(mail).replace("\r", "")) is confirmed
    assert ("/paper" in html(mail)) is confirmed
    assert ("dans votre espace" in plain(mail)) is not confirmed


@pytest.mark.parametrize(
    ("name", "page"),
    [("an accepted estimate: no right", "paper"), ("an accepted estimate: work waits", "withdraw")],
)
async def test_an_accepted_estimate_is_linked_whether_or_not_it_may_be_withdrawn_from(
    stage: Stage, mailbox: Path, name: str, page: str
) -> None:
    await stage.knows(*unproven(email_verified=True))
    told = next(case.event for case in CASES if case.name == name)
    await stage.hears(told)
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    token = Links(stage.settings.link_secret).token(page, GRANT if page == "withdraw" else told.state.id)
    assert re.findall('href="(.*?)"', html(mail)) == [
        escape(f"http://127.0.0.1:{stage.settings.edge_port}/{page}?token={token}&lang=fr")
    ]


async def test_who_bought_withdraws_by_a_link(stage: Stage, mailbox: Path) -> None:
    await stage.hears(next(case.event for case in CASES if case.name == "a purchase is placed"))
    await stage.runs_effects()
    [mail] = [mail for mail in mails(mailbox) if "lea@" in mail["To"]]
    token = Links(stage.settings.link_secret).token("withdraw-order", ORDER)
    link = f"http://127.0.0.1:{stage.settings.edge_port}/withdraw-order?token={token}&lang=fr"
    assert f"\n\n{link}\n\n" in plain(mail)
    assert re.findall('href="(.*?)"', html(mail)) == [escape(link)]


@pytest.mark.parametrize(("said", "where"), SITES, ids=str)
@pytest.mark.parametrize("name", LINKED)
async def test_a_link_leads_to_its_page_and_nothing_keeps_the_token(
    stage: Stage,
    mailbox: Path,
    said: dict[str, Any],
    where: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for setting, value in said.items():
        monkeypatch.setattr(stage.settings, setting, value)
    await stage.hears(next(case.event for case in CASES if case.name == name))
    await stage.runs_effects()
    token = Links(stage.settings.link_secret).token(LINKED[name], GRANT)
    link = where.format(page=LINKED[name], token=token)
    [mail] = mails(mailbox)
    assert f"\n\n{link}\n\n" in plain(mail)
    assert f'href="{escape(link)}"' in html(mail)
    assert "/api/" not in plain(mail) + html(mail), "nobody is told to call an API"
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
