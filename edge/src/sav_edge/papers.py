"""Papers that are printed from a record when somebody asks for one: in the reader's language, the same bytes each time."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from importlib.resources import files
from typing import Any, NamedTuple
from uuid import UUID

from sav_chassis.entity_tags import holds
from sav_chassis.errors import NotFound, NotYetKnown, Unavailable
from sav_chassis.firm_look import Look
from sav_chassis.settings import RoomSettings, Settings
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.interventions.invoice import DEMONSTRATION, Seller
from sav_contracts.sentences import Text
from sav_contracts.surface import SURFACE, PaperRow, RecordRow
from sav_edge.child_process import output_of
from sav_edge.downloads import HARMLESS, attached
from sav_edge.read_model import ReadModel
from sav_edge.reply import Reply
from sav_edge.screen_upload import PDF

PROGRAM = (sys.executable, "-I", "-m", "sav_edge.print_paper")
# Seconds for one paper.
WITHIN = 30.0
# What makes the bytes, beside the facts.
MAKERS = ("typst", "segno")

[ARTICLE] = [row for row in SURFACE if isinstance(row, RecordRow) and row.message is ArticleView]


class Firm(RoomSettings):
    """The firm whose name stands on papers: the one that invoices; and how they look."""

    seller: Seller = DEMONSTRATION
    look: Look = Look()


class NoFrontend(Unavailable):
    """What leads people nowhere is not printed: it would be stuck on something for years."""

    retry_after: int = 3600
    en = (
        "This paper leads to the site, and nobody has said where that is (SAV_FRONTEND_URL or SAV_PUBLIC_URL)"
    )
    fr = "Ce document mène au site, dont personne n’a indiqué l’adresse (SAV_FRONTEND_URL ou SAV_PUBLIC_URL)"


class ArticleOnItsWay(NotYetKnown):
    en = "The article of this product is not known here yet; ask again in a moment"
    fr = "L’article de ce produit n’est pas encore connu ici ; réessayez dans un instant"


class PrinterBusy(Unavailable):
    en = "No paper can be printed just now; try again in a moment"
    fr = "Aucun document ne peut être imprimé pour l’instant ; réessayez dans un instant"


class Printing(NamedTuple):
    """What stands on a paper: the name of its template and file, and its facts."""

    template: str
    file: Text
    facts: dict[str, Any]


class Papers:
    """Prints papers, one at a time; the others wait for their turn."""

    def __init__(self, read: ReadModel, settings: Settings) -> None:
        firm = Firm()
        self.read, self.settings, self.firm, self.look = read, settings, firm.seller, firm.look
        self._turn = asyncio.Semaphore(1)

    async def answer(
        self,
        row: PaperRow,
        record: Mapping[str, Any],
        actor: Actor,
        french: bool,
        known: str | None,
        headers: dict[str, str],
    ) -> Reply:
        """The paper of a record, or 304 where the caller holds it already (`known`: their If-None-Match)."""
        paper = await PAPERS[row.paper](self, record, actor)
        locale = "fr" if french else "en"
        made = int(datetime.fromisoformat(record["created_at"]).timestamp())
        asked = json.dumps([paper.template, paper.facts | {"locale": locale, "made": made}]).encode()
        tag = f'"{blake2b(asked + _makers(paper.template), digest_size=16).hexdigest()}"'
        headers = headers | HARMLESS | {"ETag": tag, "Cache-Control": "private, no-cache"}
        headers |= {"Content-Language": locale, "Vary": "Accept-Language"}
        if holds(known, tag):
            return Reply(b"", 304, headers=headers)
        async with self._turn:
            try:
                content = await output_of(PROGRAM, asked, WITHIN)
            except OSError:
                raise PrinterBusy from None
        headers["Content-Disposition"] = attached(paper.file.fr if french else paper.file.en)
        return Reply(content, 200, PDF, headers)

    def link(self, page: str, **query: Any) -> str:
        """The address of a page of the frontend; without one, of the edge."""
        site = self.settings.frontend_url.rstrip("/") or self.settings.edge_site
        if not site:
            raise NoFrontend
        return f"{site}/{page}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


async def product_label(papers: Papers, product: Mapping[str, Any], actor: Actor) -> Printing:
    """The label of a unit: who reads its code reports a fault of it, after they have signed in."""
    try:
        found = await papers.read.one(ARTICLE, {"article_id": UUID(product["article_id"])}, actor)
    except NotFound:
        raise ArticleOnItsWay from None
    facts = {name: product[name] for name in ("article", "serial")}
    facts |= {"firm": papers.firm.name, "reference": json.loads(found.doc)["reference"]}
    name = f"{product['serial']}.pdf"
    return Printing(
        "product_label",
        Text(f"label {name}", f"étiquette {name}"),
        facts | {"link": papers.link("report", product=product["id"])},
    )


PAPERS: Mapping[str, Callable[[Papers, Mapping[str, Any], Actor], Awaitable[Printing]]] = {
    "product_label": product_label
}


@cache
def _makers(template: str) -> bytes:
    """What changes the bytes of a paper although its facts are the same."""
    versions = " ".join(f"{name} {version(name)}" for name in MAKERS)
    return (files("sav_edge") / "templates" / f"{template}.typ").read_bytes() + versions.encode()
