"""A mail server that takes what comes and hangs up on some: before it has the mail, or after, without saying so."""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from sav_ops.home import free_port

CUT = 0.05


class Post:
    """What it has taken, by Message-ID; runs in a thread of its own."""

    def __init__(self, seed: int) -> None:
        self.taken: dict[str, list[Message]] = {}
        self.cuts = 0
        # While it is not set, it takes the mail and does not say so.
        self.speaks = threading.Event()
        self.speaks.set()
        self._chance = random.Random(seed)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        lot = self._chance.random() if self.speaks.is_set() else 1.0
        if lot >= CUT:
            assert isinstance(envelope.content, bytes)
            mail = message_from_bytes(envelope.content)
            self.taken.setdefault(mail["Message-ID"], []).append(mail)
        if lot < 2 * CUT:
            self.cuts += 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        await asyncio.to_thread(self.speaks.wait)
        return "250 taken"

    @contextmanager
    def open(self) -> Iterator[str]:
        """Its URL, while it listens."""
        port = free_port()
        controller = Controller(self, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
        controller.start()
        try:
            yield f"smtp://127.0.0.1:{port}"
        finally:
            controller.stop()
