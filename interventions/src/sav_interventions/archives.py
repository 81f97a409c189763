"""Archives of closings: the closing, its entries, and how anybody checks both without this program."""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select

from sav_chassis.errors import TryLater
from sav_chassis.files import Files
from sav_chassis.tx import EffectRun, Tx
from sav_contracts.actor import SYSTEM
from sav_contracts.interventions.closing import ClosingChanged
from sav_interventions.app import interventions
from sav_interventions.model.payment import Closing, Entry
from sav_interventions.settings import billing

# The same in every archive, so that equal content gives equal bytes.
MADE_AT = (2026, 1, 1, 0, 0, 0)
README = """ARCHIVE DES ENCAISSEMENTS / ARCHIVE OF PAYMENTS      CGI, art. 286, I, 3 bis

cloture.json      la cloture / the closing
ecritures.tsv     (jour / day) ses ecritures, une par ligne / its entries, one a line: hash, then the content:
                  number, entered_on, received_on, kind, amount, currency, method, client_id, payment_id,
                  client_credit_id, invoice_number, reference
jours.json        (mois, annee / month, year) les clotures de ses jours / the closings of its days, each with
                  the SHA-256 of its archive, in which its entries are

To check: SHA-256(hash of the line before + content) = hash. Before the first line stands `starts_after` of the
closing, and the last hash is its `ledger_hash`. SHA-256(previous_hash + content) = hash of each closing.
Lines are in UTF-8, and fields are separated by tabs.
"""


@interventions.effect
async def archive_closing(id: UUID, run: EffectRun) -> None:
    """Makes and stores the archive of a closing; that of a month or year once those of its days are made."""
    async with run() as tx:
        closing = await tx.read(Closing, id, SYSTEM)
        if closing.archive:
            return
        content = await _content(closing, tx)
        files = Files(tx.settings.files_url)
    name = f"{closing.period}-{closing.first_day}-{closing.currency}.zip"
    archive = await files.put(await asyncio.to_thread(zipped, content), "application/zip", name)
    async with run() as tx:
        closed = await tx.load(Closing, id, SYSTEM)
        if closed.archive is None:
            closed.archive = archive
            tx.emit(closed, ClosingChanged())


async def _content(closing: Closing, tx: Tx) -> dict[str, bytes]:
    """The files of an archive, by name."""
    lines = await _entries(closing, tx)
    starts_after = lines[0].previous_hash if lines else closing.ledger_hash
    kept = {"LISEZMOI.txt": README.encode(), "cloture.json": to_json(told(closing, starts_after), indent=2)}
    if closing.period == "day":
        return kept | {"ecritures.tsv": "".join(map(line_of, lines)).encode()}
    days = await _days(closing, tx)
    if any(day.archive is None for day in days):
        raise TryLater("the archives of its days are made first")
    return kept | {"jours.json": to_json([told(day) for day in days], indent=2)}


def line_of(entry: Entry) -> str:
    """An entry as it stands in an archive."""
    return f"{entry.hash}\t{entry.content}\n"


def told(closing: Closing, starts_after: str | None = None) -> dict[str, Any]:
    """A closing as it stands in an archive, with what its hash covers."""
    shown = closing.view().model_dump(mode="json", exclude={"version", "updated_at"})
    firm = billing().seller.model_dump(mode="json")
    return {"seller": firm} | shown | {"content": closing.content, "starts_after": starts_after}


def zipped(content: Mapping[str, bytes]) -> bytes:
    """The archive: equal content gives equal bytes."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, text in content.items():
            member = zipfile.ZipInfo(name, MADE_AT)
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, text)
    return kept.getvalue()


async def _entries(closing: Closing, tx: Tx) -> list[Entry]:
    """The entries of a day, in all currencies: they are one chain. Of a longer period only the first."""
    of_period = Entry.entered_on.between(closing.first_day, closing.last_day)
    query = select(Entry).where(of_period).order_by(Entry.number)
    return list(await tx.session.scalars(query if closing.period == "day" else query.limit(1)))


async def _days(closing: Closing, tx: Tx) -> list[Closing]:
    of_period = Closing.first_day.between(closing.first_day, closing.last_day)
    query = select(Closing).where(Closing.period == "day", Closing.currency == closing.currency, of_period)
    return list(await tx.session.scalars(query.order_by(Closing.first_day)))
