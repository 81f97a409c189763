"""Mails that were kept in a folder, as a program reads them."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path


def mails(mailbox: Path) -> list[EmailMessage]:
    """The kept mails, in the order of their names."""
    return [read(path) for path in sorted(mailbox.glob("*.eml"))]


def read(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return BytesParser(policy=policy.default).parse(file)


def plain(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part
    return str(part.get_content())


def html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part
    return str(part.get_content())


def kept_in(mailbox: Path) -> list[Path]:
    return list(mailbox.glob("*.eml"))
