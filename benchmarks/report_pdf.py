"""The PDF of a report with six photos: from the submitted report until it is kept, beside typst alone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.resources import files as files_of
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import typst
from harness import Aim, Contender, Figures, Measured, interleaved
from news import database, empty, prepared
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from sav_chassis.database import Database, opened
from sav_chassis.envelope import Context
from sav_chassis.files import Files
from sav_chassis.process.runner import started_for_good
from sav_chassis.settings import Settings
from sav_chassis.tx import EffectRun, Tx
from sav_chassis.views import show
from sav_contracts.actor import SYSTEM
from sav_contracts.catalog.product import Place
from sav_contracts.claims.client import ClientView
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import ReportPhoto, ReportView
from sav_interventions.effects import print_report
from sav_interventions.model import Intervention, Report, Technician
from sav_interventions.printing import fonts, look
from sav_interventions.report_pdf import ReportPaper, in_print_size
from sav_interventions.settings import billing

ROOM = "interventions"
NUMBER = 5
# Not counted: connections are opened and fonts read.
FIRST = 1
PHOTOS = 6
UNPREPARED = "SAV, photos that nobody prepared"
SIZE = (2560, 1920)
ALONE, WHOLE = "typst alone", "typst alone, the photos as they are stored"
NOW = datetime(2026, 3, 3, 10, 30, tzinfo=UTC)
CLIENT, TECHNICIAN = UUID(int=1), UUID(int=11)
FOUND = "Circulateur grippé, plus de circulation dans le circuit de chauffage. " * 6


def photo() -> bytes:
    """As a phone takes one and the edge keeps it: about a megabyte, each another."""
    rough = [Image.effect_noise((640, 480), 40).resize(SIZE) for _ in range(3)]
    made = BytesIO()
    Image.merge("RGB", rough).save(made, "JPEG", quality=85)
    return made.getvalue()


async def measure(settings: Settings, rounds: int, number: int = NUMBER) -> Measured:
    """Milliseconds for one, one after the other."""
    settings = await prepared(settings, ROOM)
    files = Files(settings.files_url)
    # As the process that prints does.
    started_for_good()

    async def stored() -> list[list[ReportPhoto]]:
        """The photos of each report: typst remembers pictures, so each has its own."""
        kept = [await files.put(photo(), "image/jpeg", "photo.jpg") for _ in range((FIRST + number) * PHOTOS)]
        every = [ReportPhoto(photo_id=uuid7(), file=file) for file in kept]
        return [every[first : first + PHOTOS] for first in range(0, len(every), PHOTOS)]

    async def ours(prepared: bool) -> Figures:
        await empty(
            settings, ROOM, "report", "intervention", "technician", "event_log", "event_chain", "outbox"
        )
        named = await stored()
        for one in (one for photos in named for one in photos if prepared):
            await in_print_size(one.file, files)
        async with opened(settings, ROOM) as rows:
            ids = await given(settings, rows, named)
            context = Context(actor_id=SYSTEM.id, actor_role=SYSTEM.role, correlation_id=uuid7())
            began = 0.0
            for each, id in enumerate(ids):
                began = time.perf_counter() if each == FIRST else began
                await print_report(id, EffectRun(rows, settings, context, _committed, 1))
            lasted = time.perf_counter() - began
            async with AsyncSession(rows.engine) as session:
                printed = [await session.get_one(Report, id) for id in ids]
        sizes = [one.document.size for one in printed if one.document]
        if len(sizes) != len(ids):
            raise RuntimeError(f"{len(ids) - len(sizes)} reports were not printed")
        return {"ms": 1000 * lasted / number, "kB": max(sizes) / 1000}

    async def typst_alone(read: Callable[[StoredFile], Awaitable[bytes]]) -> Figures:
        lasted, size = 0.0, 0
        for each, photos in enumerate(await stored()):
            pictures = {str(one.photo_id): await read(one.file) for one in photos}
            inputs = look("fr") | {"paper": shown(photos).model_dump_json()}
            began = time.perf_counter()
            size = max(size, len(await asyncio.to_thread(compiled, pictures, inputs)))
            lasted += time.perf_counter() - began if each >= FIRST else 0
        return {"ms": 1000 * lasted / number, "kB": size / 1000}

    async def prepared_before() -> Figures:
        return await ours(prepared=True)

    async def unprepared() -> Figures:
        return await ours(prepared=False)

    async def alone() -> Figures:
        return await typst_alone(lambda file: in_print_size(file, files))

    async def whole() -> Figures:
        return await typst_alone(files.get)

    measured = await interleaved(
        "PDF of a report with six photos",
        [
            Contender("SAV", prepared_before),
            Contender(ALONE, alone),
            Contender(WHOLE, whole),
            Contender(UNPREPARED, unprepared),
        ],
        [Aim("ms", 1.3, "most", against=ALONE)],
        rounds,
    )
    measured.notes.append(
        f"{number} reports, one after the other, each with {PHOTOS} photos of {SIZE[0]} × {SIZE[1]} pixels of its own. SAV "
        "reads report, visit, client and technician, gets the photos from the file store (a folder) in the size in which "
        "they were prepared when they were added, compiles, stores the PDF and records it with its event. The baseline "
        "compiles the same template with the same prepared photos, which are in memory. Fonts were looked for before."
    )
    return measured


def compiled(pictures: dict[str, bytes], inputs: dict[str, str]) -> bytes:
    """By typst from a folder, as it must be called where there are pictures."""
    templates = files_of("sav_interventions") / "templates"
    with TemporaryDirectory() as folder:
        for name in ("report.typ", "look.typ"):
            (Path(folder) / name).write_bytes((templates / name).read_bytes())
        for name, content in pictures.items():
            (Path(folder) / name).write_bytes(content)
        return typst.compile(
            Path(folder) / "report.typ",
            root=Path(folder),
            format="pdf",
            font_paths=fonts(),
            sys_inputs=inputs,
            pdf_standards="a-2b",
            timestamp=int(NOW.timestamp()),
        )


def report(named: list[ReportPhoto]) -> Report:
    made = Report(
        id=uuid7(),
        intervention_id=uuid7(),
        reclamation_id=uuid7(),
        edition=1,
        findings=FOUND,
        work_done=FOUND,
        recommendations=FOUND,
        signature_refused="Le client était parti.",
        status="submitted",
        photos=named,
        submitted_at=NOW,
    )
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made


def visit(of: Report) -> Intervention:
    made = Intervention(
        id=of.intervention_id,
        client_id=CLIENT,
        technician_id=TECHNICIAN,
        reclamation_id=of.reclamation_id,
        reclamation_reference="REC-2026-000001",
        status="completed",
        reported_at=NOW,
        done_at=NOW,
        place=Place(address="3 rue des Lilas", postcode="69003", city="Lyon"),
    )
    made.version, made.created_at, made.updated_at = 1, NOW, NOW
    return made


def shown(named: list[ReportPhoto]) -> ReportPaper:
    """What stands on each of them."""
    of = report(named)
    there = visit(of)
    return ReportPaper(
        locale="fr",
        firm=billing().seller,
        report=ReportView.model_validate(of, from_attributes=True),
        reference=there.reclamation_reference,
        client="Léa Bernard",
        technician="Karim Haddad",
        place=there.place,
        product=None,
        serial=None,
        purpose="repair",
        status=there.status,
        cause=None,
        done_at=NOW,
        signed_at=None,
        work=None,
    )


async def given(settings: Settings, rows: Database, named: list[list[ReportPhoto]]) -> list[UUID]:
    """Submitted reports that wait for their paper; their ids."""
    client = ClientView(
        id=CLIENT,
        client_id=CLIENT,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        name="Léa Bernard",
        email="lea@example.com",
        locale="fr",
    )
    async with database(settings, ROOM) as connection:
        await show(connection, [client])
    reports = [report(photos) for photos in named]
    ids = [one.id for one in reports]
    card = Technician(id=TECHNICIAN, name="Karim Haddad", account_active=True)
    card.version, card.created_at, card.updated_at = 1, NOW, NOW
    async with AsyncSession(rows.engine) as session, session.begin():
        session.add_all([card, *(visit(one) for one in reports), *reports])
    return ids


def _committed(tx: Tx) -> None:
    """No relay publishes what was told."""
