"""Reports of visits as PDF."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import BytesIO
from uuid import UUID
from zoneinfo import ZoneInfo

from PIL import Image
from pydantic import BaseModel, ConfigDict

from sav_chassis.files import Files
from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.product import Place
from sav_contracts.catalog.servicing import AirQuality
from sav_contracts.files import StoredFile
from sav_contracts.interventions.invoice import Seller
from sav_contracts.interventions.report import ReportView
from sav_contracts.interventions.task import Task
from sav_contracts.interventions.visit import Cause, InterventionStatus, Purpose
from sav_contracts.interventions.work import Work
from sav_interventions.printing import printed

# The most pixels of the longer side of a printed picture: 300 to an inch where it is printed, 80 mm wide.
LONGEST = 960
QUALITY = 82
# Under this name a printed picture is kept beside the stored one; to be raised when it is made in another way.
PRINTED = "printed.2"


class ReportPaper(BaseModel):
    """What stands on the paper of a report; times are local at the place of the visit."""

    model_config = ConfigDict(frozen=True)

    locale: Locale
    firm: Seller
    report: ReportView
    reference: str | None
    client: str
    technician: str
    place: Place | None
    product: str | None
    serial: str | None
    purpose: Purpose
    status: InterventionStatus
    cause: Cause | None
    done_at: datetime | None
    signed_at: datetime | None
    work: Work | None
    tasks: Sequence[Task] = ()
    # What the carbon monoxide that was measured means.
    air: AirQuality | None = None
    submitted_at: datetime | None = None
    refused_at: datetime | None = None
    # Who wrote it, where that was not the technician.
    written_by: str | None = None

    @property
    def file_name(self) -> str:
        """Its name as a file: `Rapport REC-2026-000001 2.pdf` is the second edition."""
        edition = str(self.report.edition) if self.report.edition > 1 else None
        named = ("Rapport" if self.locale == "fr" else "Report", self.reference, edition)
        return f"{' '.join(part for part in named if part)}.pdf"

    @property
    def pictures(self) -> dict[UUID, StoredFile]:
        """The pictures on it, by the names that they have in the template: photos, and the signature."""
        shown = {photo.photo_id: photo.file for photo in self.report.photos}
        if self.report.signature:
            shown[self.report.id] = self.report.signature
        return shown


def local(moment: datetime | None, zone: str) -> datetime | None:
    """The same moment as clocks show it there."""
    return moment.astimezone(ZoneInfo(zone)) if moment else None


def report_pdf(paper: ReportPaper, pictures: Mapping[UUID, bytes]) -> bytes:
    """A submitted report as PDF/A-2b; the same bytes each time it is made. `pictures` are those on it, in print size."""
    assert paper.report.submitted_at is not None
    inputs = {"paper": paper.model_dump_json(), "locale": paper.locale}
    shown = {str(id): picture for id, picture in pictures.items()}
    return printed("report", inputs, paper.report.submitted_at, "a-2b", shown)


async def in_print_size(stored: StoredFile, files: Files) -> bytes:
    """A stored picture as it is printed, which is kept: it is made once, or again where it was lost."""
    if kept := await files.derived(stored, PRINTED):
        return kept
    made = await asyncio.to_thread(for_print, await files.get(stored))
    await files.keep_derived(stored, PRINTED, made)
    return made


def for_print(content: bytes) -> bytes:
    """The picture as a JPEG on white, no side over `LONGEST` pixels."""
    with Image.open(BytesIO(content), formats=("JPEG", "PNG")) as picture:
        if picture.format == "JPEG" and max(picture.size) <= LONGEST:
            return content
        # Of a large JPEG only as many pixels are decoded as are needed.
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.BICUBIC, reducing_gap=1.0)
        seen = picture.convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen)
        made = BytesIO()
        paper.save(made, "JPEG", quality=QUALITY)
    return made.getvalue()
