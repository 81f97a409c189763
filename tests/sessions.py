"""What a person gets by mail, and when they are out."""

import re
from email import policy
from email.parser import BytesParser
from pathlib import Path

from eventually import eventually
from kept_mails import plain
from stories import refused
from system import Person, System


async def mailed(system: System, email: str, subject: str) -> str:
    """The code in the link of the mail with this subject to this address, as it lies in the mailbox."""
    code: str
    [code] = re.findall(r"\?token=([\w-]{60,})&lang=fr\b", await letter(system, email, subject), re.MULTILINE)
    return str(code)


async def letter(system: System, email: str, subject: str) -> str:
    """The text of that mail."""

    async def text() -> str:
        for path in Path(system.settings.mailbox).glob(f"*{email}*.eml"):
            mail = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
            if subject in mail["Subject"]:
                return plain(mail)
        return ""

    return await eventually(text)


async def is_out(who: Person) -> None:
    """Its access token is worth nothing any more, for reading and for acting."""

    async def out() -> bool:
        return (await who.get("/me")).status_code == 401

    await eventually(out, 2)
    refused(await who.ask("PATCH", "/me", json={"locale": "en"}), 401, "not_signed_in")
