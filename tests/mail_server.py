"""A mail server that says what a test wants it to say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Post:
    """A server that takes mail, or says what a test wants it to say: each answer once, then it is friendly."""

    rcpt: list[str | bytes] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    bytes_taken: list[bytes] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    cut: int = 0
    silent: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from, self.options = address, options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str | bytes:
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
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            return "250 nobody hears this"
        if self.data:
            return self.data.pop(0)
        self.taken.append(message)
        self.bytes_taken.append(envelope.content)
        return "250 taken"


@asynccontextmanager
async def listening(post: Post, **options: Any) -> AsyncIterator[int]:
    """Lets the server listen on a port of its own."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(post, hostname="post.example", enable_SMTPUTF8=True, loop=loop, **options),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        post.released.set()
        server.close()
