"""What somebody types on the web reaches people's mailboxes as text: read there by a program that is not ours."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from attacks import ATTACK, UNDECODABLE
from eventually import eventually
from foreign import Reader
from stories import Json, done, items, opened
from system import PASSWORD, Person, System
from uuid_utils.compat import uuid7

from sav_contracts import canonical

HEADERS = [
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type"),
    "content-language",
]
IMAGE = "=?utf-8?q?x=0d=0aContent-Type:_text/html=0d=0a=0d=0a<img_src='http://evil.example/?="


async def letter(system: System, mailparser: Reader, email: str, subject: str) -> Any:
    """What is read in the mail to this address whose subject begins so."""

    async def read() -> Any:
        for path in Path(system.settings.mailbox).glob(f"*{email}*.eml"):
            mail = mailparser.read(b64encode(path.read_bytes()).decode())
            if mail["subject"].startswith(subject):
                return mail
        return None

    return await eventually(read)


@pytest.mark.parametrize("name", [ATTACK, IMAGE, UNDECODABLE])
async def test_a_name_at_sign_up_is_only_ever_text(system: System, mailparser: Reader, name: str) -> None:
    email = f"{uuid7()}@example.com"
    done(
        await system.visitor().post("/auth/register", {"email": email, "password": PASSWORD, "name": name}),
        202,
    )
    mail = await letter(system, mailparser, email, "Bienvenue")
    assert mail["headers"] == HEADERS
    assert mail["to"] == [{"name": name, "address": email, "group": False}]
    assert mail["text"].startswith("Bonjour =?utf-8?")
    assert "<h1>Bonjour" not in mail["html"]
    assert "<img" not in mail["html"]
    assert "evil.example" not in mail["linked"]


async def test_the_name_of_a_client_whom_a_manager_makes_is_too(
    system: System, mailparser: Reader, marie: Person
) -> None:
    email = f"{uuid7()}@example.com"
    done(await marie.post("/clients", {"email": email, "name": ATTACK}), 201)
    mail = await letter(system, mailparser, email, "Votre compte")
    assert (mail["headers"], mail["to"][0]["name"]) == (HEADERS, ATTACK)
    assert mail["text"].startswith(f"Bonjour {ATTACK},\n")


@pytest.mark.parametrize(
    "article", [UNDECODABLE, ATTACK, "Pompe à chaleur énergétique, évacuation  très silencieuse"]
)
async def test_an_urgent_mail_leaves_whatever_the_article_is_called(
    system: System, mailparser: Reader, marie: Person, article: str
) -> None:
    lea = await system.client()
    claim = await opened(lea, article=article, safety={"gas_smell": True})
    subject = f"[DANGER] Nouvelle réclamation {claim['reference']} – "
    mail = await letter(system, mailparser, marie.email, subject)
    subject += canonical.line(article)
    assert (mail["headers"], mail["subject"]) == (HEADERS, subject)

    async def about_it() -> list[Json]:
        return [
            message
            for message in await items(marie, "/notifications", user_id=marie.id)
            if message["subject"] == subject and message["status"] == "kept_locally"
        ]

    assert len(await eventually(about_it)) == 1
    assert (await letter(system, mailparser, lea.email, "Votre sécurité"))["headers"] == HEADERS
