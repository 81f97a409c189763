"""What people type is only ever text in a mail, whatever it is: read by programs that did not write it."""

import re
from base64 import b64encode
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any, cast
from unicodedata import normalize
from uuid import UUID

import idna
import pytest
from attacks import ATTACK, UNDECODABLE
from foreign import Reader
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sav_contracts.auth.fields import Email
from sav_notifier.headers import NoAddress, mailbox, mailbox_of
from sav_notifier.mail import Mail, composed
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient
from sav_notifier.rendering import Rendered, rendered
from sav_notifier.user_text import one_line, unlinked

OURS = [
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"),
    "Content-Language",
]

# What is a full stop, or the one of Chinese and Japanese, by its compatibility form.
DOTS = [letter for letter in map(chr, range(0x10000)) if normalize("NFKC", letter) in (".", "\u3002")]

PIECES = st.sampled_from(
    [
        *(
            ATTACK,
            UNDECODABLE,
            "=?utf-8?q??=",
            "=?us-ascii?q?=22_<a@b.example>=2C?=",
            "=?",
            "?=",
            "=?x?= =?y?=",
        ),
        *("=?utf-8?q?a?= =?utf-8?q?b?=", '"', "'", ",", ", ", ";", ":", "<", ">", "(a comment)", "\\", "@"),
        *(
            "<evil@evil.example>",
            "a:b@c.example;",
            "https://evil.example/",
            "evil.example",
            "- ",
            "⚠ ",
            "<b>",
        ),
        *("x" * 90, "é" * 60, "Pompe à chaleur énergétique, évacuation ", "évacuation ", " ", "  ", "\xa0"),
        *("👩‍👩‍👧‍👦", "e\u0301", "שלום", "\u202eevil", "\u200b", "\u200d", "\u2028", "\x85", "\x9b31m"),
        *("\r\nBcc: evil@evil.example\r\n\r\n", "\n\n- ", "\0", "\ud83d", "<img src='http://"),
    ]
)
# More than the contracts' `Line` lets through: rows may be older than it.
TYPED = st.lists(PIECES | st.text(st.characters(exclude_categories=()), max_size=12), min_size=1, max_size=12)
TEXT = TYPED.map("".join)
LOCALS = st.text(st.sampled_from("abcXYZ019!#$%&'*+/=?^_`{|}~.-éßжλ😀"), min_size=1, max_size=20)
DOMAINS = st.sampled_from(
    [
        "example.com",
        "straße.example",
        "bücher.example",
        "faß.example",
        "βόλος.example",
        "a-b.c--d.example",
        "例え.jp",
    ]
)
EMAIL = TypeAdapter[str](Email)


def read_by(mailparser: Reader, mail: Mail) -> Any:
    return mailparser.read(b64encode(mail.content).decode())


def content(name: str, article: str) -> Rendered:
    facts = {
        **{
            "company": "SAV",
            "contact": "",
            "site": "",
            "link": "",
            "reference": "REC-2026-000100",
            "client": name,
        },
        **{"article": article, "description": article, "signs": [], "urgent": True, "problem_type": "leak"},
        **{"phones": [], "place": None, "channel": None, "preferred": [], "unanswered": [], "duplicates": []},
        "repeats": None,
    }
    return rendered("reclamation_new", "fr", name, facts)


def written(
    content: Rendered, name: str, email: str = "lea@example.com", by: str = "sav@example.com"
) -> Mail:
    notification = SimpleNamespace(
        id=UUID(int=1), created_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC), locale="fr"
    )
    person = Recipient(UUID(int=2), name, email, "fr", None, True)
    return composed(cast(Notification, notification), person, content, by)


def lines_of_the_head(mail: Mail) -> list[str]:
    return mail.content.partition(b"\r\n\r\n")[0].decode().split("\r\n")


@settings(max_examples=400, deadline=None)
@given(name=TEXT, article=TEXT)
def test_whatever_is_typed_every_reader_reads_it_as_it_was_typed(
    mailparser: Reader, name: str, article: str
) -> None:
    message = content(name, article)
    mail = written(message, name)
    read = read_by(mailparser, mail)
    assert read["headers"] == [header.lower() for header in OURS]
    assert read["from"] == [{"name": "", "address": "sav@example.com", "group": False}]
    assert read["to"] == [{"name": one_line(name), "address": "lea@example.com", "group": False}]
    assert read["subject"] == f"[URGENT] Nouvelle réclamation REC-2026-000100 – {one_line(article)}"
    assert (read["text"], read["html"]) == (
        message.text,
        message.html + "\n" * (not message.html.endswith("\n")),
    )
    assert read["attachments"] == 0

    modern = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(modern, EmailMessage)
    assert (modern.keys(), modern["Subject"]) == (OURS, read["subject"])
    [to] = modern["To"].addresses
    # It shows a space between two encoded words of a name.
    assert (to.addr_spec, squeezed(to.display_name)) == ("lea@example.com", squeezed(one_line(name)))
    assert [part.get_content_type() for part in modern.walk()] == [
        *("multipart/alternative", "text/plain", "text/html"),
    ]
    older = message_from_bytes(mail.content)
    assert str(make_header(decode_header(older["Subject"]))) == read["subject"]
    assert older.keys() == OURS


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@settings(max_examples=200, deadline=None)
@given(name=TEXT, article=TEXT)
def test_lines_are_short_and_encoded_words_as_the_standard_wants_them(name: str, article: str) -> None:
    lines = lines_of_the_head(written(content(name, article), name))
    assert all(len(line) <= 78 and line.isascii() for line in lines)
    for word in re.findall(r"\S*=\?\S*", " ".join(lines)):
        # RFC 2047, 2: alone between spaces, of 75 characters at most, never empty; 5: of whole characters, few as they are.
        assert re.fullmatch(r"=\?utf-8\?(b\?[A-Za-z0-9+/]+=*|q\?[A-Za-z0-9!*+/=_-]+)\?=", word)
        assert len(word) <= 75
        assert decode_header(word)[0][0].decode()


@settings(max_examples=200, deadline=None)
@given(local=LOCALS, domain=DOMAINS, name=TEXT, sender=TEXT)
def test_an_address_is_the_one_that_was_given_and_nobody_elses(
    mailparser: Reader, local: str, domain: str, name: str, sender: str
) -> None:
    assume("=?" not in local)
    try:
        email = EMAIL.validate_python(f"{local}@{domain}")
    except ValidationError:
        assume(False)
    by = '"{}" <sav@société.example>'.format(re.sub(r'(["\\])', r"\\\1", one_line(sender)))
    mail = written(content("Léa", "WC"), name, email, by)
    to = email.rpartition("@")[0] + "@" + idna.encode(domain, uts46=True).decode()
    assert (mail.sender, mail.recipient) == ("sav@xn--socit-esab.example", to)
    read = read_by(mailparser, mail)
    assert read["headers"] == [header.lower() for header in OURS]
    # It shows domains as people read them.
    assert [(one["name"], ascii_domain(one["address"])) for one in read["to"]] == [(one_line(name), to)]
    [shown] = read["from"]
    assert ascii_domain(shown["address"]) == mail.sender
    assert shown["name"].strip() == one_line(sender).strip()


def ascii_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain).decode()}"


NO_ADDRESSES = [
    *("", "lea", "@example.com", "lea@", "a b@example.com", "a@b@example.com", "a,b@example.com"),
    *(
        "lea@example.com>",
        "<lea@example.com",
        "lea@a b.example",
        "lea@exa\u2028mple.com",
        "l\ud83d@b.example",
    ),
    *("lea@example.com\r\nBcc: evil@evil.example", "lea@-ß.example", f"lea@{'ß' * 300}.example"),
    *("=?utf-8?b?eA==?=@example.com", "a=?utf-8?q?=2cb?=@example.com"),
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(NoAddress):
        mailbox("Léa", address)


@pytest.mark.parametrize(
    "setting", ["", "SAV", "SAV, fils <sav@example.com>", "a@example.com, b@example.com"]
)
def test_a_sender_that_is_none_is_refused(setting: str) -> None:
    with pytest.raises(NoAddress):
        mailbox_of(setting)


@settings(max_examples=300, deadline=None)
@example(name="👩‍👩‍👧‍👦.AL", article="evil.\u00adexample")
@example(name="1.2.3.4/login?x", article="http://203.0.113.7/x")
@example(name="//0x7f.1/", article="mailto:evil@evil.example")
@given(name=TEXT, article=TEXT)
def test_in_a_mail_to_a_stranger_nothing_becomes_a_link(mailparser: Reader, name: str, article: str) -> None:
    name, article = unlinked(name), unlinked(article)
    read = read_by(mailparser, written(content(name, article), "Léa"))
    # It makes a link of @somebody, which mail programs do not.
    assert 'href="' not in read["linked"].replace('href="https://twitter.com/', "")


@pytest.mark.parametrize("dot", DOTS, ids=ascii)
def test_whatever_a_browser_takes_for_a_dot_makes_no_link(dot: str) -> None:
    assert unlinked(f"evil{dot}example") == f"evil{dot} example"
    assert unlinked(f"192{dot}0{dot}2{dot}1") == f"192{dot} 0{dot} 2{dot}1"


def test_the_reader_of_links_sees_them(mailparser: Reader) -> None:
    read = read_by(mailparser, written(content("evil.example", "https://evil.example"), "Léa"))
    assert 'href="https://evil.example"' in read["linked"], "or the test above would find nothing anywhere"


@pytest.mark.parametrize(
    "subject",
    [
        "Preuve d’achat acceptée\xa0: Pompe à chaleur énergétique, évacuation ventouse, inox énergétique Azur 24 énergétique et, modèle, régulation énergétique verticale, concentrique",
        "[URGENT] Nouvelle réclamation REC-2026-000100 – Pompe à chaleur énergétique, évacuation  très silencieuse",
    ],
)
def test_a_long_subject_keeps_its_spaces(mailparser: Reader, subject: str) -> None:
    assert read_by(mailparser, written(Rendered(subject, "", ""), "Léa"))["subject"] == subject


def test_what_is_plain_is_written_plainly() -> None:
    message = Rendered("Claim REC-2026-000100: we are on it", "", "")
    assert lines_of_the_head(written(message, "Paul Smith"))[:3] == [
        *("From: sav@example.com", "To: Paul Smith <lea@example.com>"),
        "Subject: Claim REC-2026-000100: we are on it",
    ]
