"""Reports of visits."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.files import Drawing, Sha256, StoredFile
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import (
    Changed,
    Command,
    Event,
    Line,
    Message,
    Personal,
    PersonId,
    Reason,
    UnfinishedProse,
    View,
)
from sav_contracts.visibility import Visible
from sav_contracts.wrong_value import WrongValue

ReportStatus = Literal[
    "draft", "signed", "signature_refused", "submitted", "validated", "sent_back", "archived"
]
# A report with so many, as they are printed, stays far below the largest file.
MAX_REPORT_PHOTOS = 12


class ReportPhoto(Message):
    """A photo of the visit that the report names."""

    photo_id: UUID
    file: StoredFile


class ReportView(View):
    """The report of a visit. Its client can read it once it is validated."""

    visible: ClassVar[Visible] = Visible.with_each(InterventionView)

    intervention_id: UUID
    reclamation_id: UUID | None
    # 1, 2, …: a validated report that is sent back gets a further edition.
    edition: int
    # Empty while it is not written; the same of `work_done`.
    findings: str = Field(examples=["Circulateur bloqué, pas de circulation dans le circuit de chauffage."])
    work_done: str = Field(examples=["Circulateur remplacé, circuit purgé et remis en pression."])
    recommendations: str | None = Field(examples=["Entretien annuel avant l'hiver."])
    signed_by: Personal[str] | None = Field(examples=["Léa Bernard"])
    signature: StoredFile | None
    signed_at: datetime | None = Field(examples=["2026-03-05T09:45:00Z"])
    signature_refused: str | None = Field(examples=["La cliente veut d'abord relire le rapport."])
    status: ReportStatus
    # Why it was sent back.
    reason: str | None = Field(examples=["Il manque la pression après remise en service."])
    photos: list[ReportPhoto] = Field(
        default_factory=list,
        examples=[
            [
                {
                    "photo_id": "018e0000-0000-7000-8000-000000000001",
                    "file": {
                        "sha256": "9f86d081" * 8,
                        "media_type": "image/jpeg",
                        "size": 184320,
                        "name": "circulateur.jpg",
                    },
                }
            ]
        ],
    )
    # When the client refused to sign; None in old ones.
    signature_refused_at: datetime | None = Field(default=None, examples=["2026-03-05T09:45:00Z"])
    # When it was submitted as it is now.
    submitted_at: datetime | None = Field(default=None, examples=["2026-03-05T09:50:00Z"])
    # Its PDF, which is made once it is submitted.
    document: StoredFile | None = None
    # The manager who wrote what it says, in place of a technician who takes no visits any more.
    written_by_id: PersonId | None = None

    @property
    def parent(self) -> UUID:
        return self.intervention_id

    def for_client(self) -> "ReportView | None":
        return self.model_copy(update={"reason": None}) if self.status in {"validated", "archived"} else None

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset(root for root in (self.intervention_id, self.reclamation_id) if root)


class WriteReport(Command[ReportView]):
    """Write the report of a visit, or replace what was written of it so far, until it is signed, or after it was sent back.

    Any part may be missing: what was found and what was done must be there when it is signed. Managers write, sign and
    submit the report of a technician who takes no visits any more.
    """

    intervention_id: UUID
    findings: UnfinishedProse = Field(
        default="", examples=["Circulateur bloqué, pas de circulation dans le circuit de chauffage."]
    )
    work_done: UnfinishedProse = Field(
        default="", examples=["Circulateur remplacé, circuit purgé et remis en pression."]
    )
    recommendations: UnfinishedProse | None = Field(
        default=None, examples=["Entretien annuel avant l'hiver."]
    )
    # By the SHA-256 of photos of this visit, in the order in which they are printed.
    photos: Annotated[list[Sha256], Field(max_length=MAX_REPORT_PHOTOS)] = Field(default_factory=list)


class SignatureOrRefusal(WrongValue):
    code = "signature_or_refusal"
    field = "signature"
    en = "signature and signed_by, or refused"
    fr = "signature et signed_by, ou refused"


class SignReport(Command[ReportView]):
    """Record that the client signed, or why they did not."""

    intervention_id: UUID
    signed_by: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    signature: Drawing | None = None
    refused: Reason | None = Field(default=None, examples=["La cliente veut d'abord relire le rapport."])

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> "SignReport":
        if (self.refused is None) == (self.signature is None or self.signed_by is None):
            raise SignatureOrRefusal().error()
        return self


class SubmitReport(Command[ReportView]):
    """Submit the signed report of a visit that is over, and whose work was recorded."""

    intervention_id: UUID


class ValidateReport(Command[ReportView]):
    """Validate the report, which closes the visit."""

    intervention_id: UUID


class SendBackReport(Command[ReportView]):
    """Send the report back to be completed or corrected: by its technician, or by managers where they take no visits any more.

    Of a validated or archived report this begins a further edition with the same text, to be signed and submitted anew.
    Until that is validated too, its client reads the one before it.
    """

    intervention_id: UUID
    reason: Reason = Field(examples=["Il manque la pression après remise en service."])


class ArchiveReport(Command[ReportView]):
    """Archive the validated report, with its earlier editions. Who could read it still can."""

    intervention_id: UUID


ReportChanged = Changed[ReportView]


class ReportSubmitted(Event[ReportView]):
    """A report waits for a manager."""


class ReportSentBack(Event[ReportView]):
    """A manager sent a report back to be completed."""

    technician_id: PersonId
    reason: str = Field(examples=["Il manque la pression après remise en service."])


class ReportValidated(Event[ReportView]):
    """A manager validated a report. Its client can read it now."""

    client_sees: ClassVar[bool] = True


class ReportArchived(Event[ReportView]):
    """An admin archived a validated report."""
