"""An edge whose records name files, without the services that would make them."""

from typing import Any

import asyncpg
import httpx
from given_views import a, show
from pictures import picture
from system import Person

from sav_chassis.files import Files
from sav_chassis.identity import Signer
from sav_chassis.migrate import migrate
from sav_chassis.settings import Settings
from sav_contracts.actor import Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.invoice import InvoiceView
from sav_contracts.messages import View
from sav_edge.app import edge
from sav_edge.completeness import mark_complete

JPEG = picture()


async def whole(settings: Settings) -> None:
    """Makes the edge's database, where nobody has, with a read model that lacks nothing."""
    await migrate(settings, edge.name)
    async with asyncpg.create_pool(settings.database("edge"), min_size=1, max_size=1) as pool:
        await mark_complete(pool)


class Archive:
    """An edge, a file store, and records told to the one that name files in the other."""

    def __init__(self, settings: Settings, http: httpx.AsyncClient) -> None:
        self.settings, self.http = settings, http
        self.files = Files(settings.files_url)

    async def tell(self, *views: View) -> None:
        connection = await asyncpg.connect(self.settings.database("edge"))
        try:
            await show(connection, views)
        finally:
            await connection.close()

    async def get(self, actor: Actor, path: str, **headers: str) -> httpx.Response:
        token = Signer(self.settings.signing_key).token(actor)
        who = Person(str(actor.id), "", actor.role, self.http, token)
        return await who.ask(
            "GET", path, headers={name.replace("_", "-"): told for name, told in headers.items()}
        )

    async def jpeg(self, name: str = "fuite é.jpg") -> StoredFile:
        return await self.files.put(JPEG, "image/jpeg", name)

    async def invoice(self, **fields: Any) -> InvoiceView:
        invoice = a(InvoiceView, **fields)
        await self.tell(invoice)
        return invoice
