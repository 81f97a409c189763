"""Reports of visits."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import model_validator

from sav_contracts.files import Image, StoredFile
from sav_contracts.messages import Command, Event, Line, Personal, PersonId, Prose, Reason, Scope, View

ReportStatus = Literal[
    "draft", "signed", "signature_refused", "submitted", "validated", "sent_back", "archived"
]


class ReportView(View):
    """The report of a visit. Its client reads it once it is validated."""

    scope: ClassVar[Scope] = Scope.CHILD

    intervention_id: UUID
    reclamation_id: UUID
    # 1, 2, … : a correction of a validated report is a new one.
    edition: int
    findings: str
    work_done: str
    recommendations: str | None
    signed_by: Personal[str] | None
    signature: StoredFile | None
    signed_at: datetime | None
    signature_refused: str | None
    status: ReportStatus
    # Why it was sent back.
    reason: str | None

    @property
    def parent(self) -> UUID:
        return self.intervention_id

    def for_client(self) -> "ReportView | None":
        return self.model_copy(update={"reason": None}) if self.status in {"validated", "archived"} else None

    def roots(self) -> frozenset[UUID]:
        return frozenset({self.intervention_id, self.reclamation_id})


class WriteReport(Command[ReportView]):
    """Write the report of a visit, or write it again before it is submitted."""

    intervention_id: UUID
    findings: Prose
    work_done: Prose
    recommendations: Prose | None = None


class SignReport(Command[ReportView]):
    """The client signs on site, or refuses to, which is written down with the reason."""

    intervention_id: UUID
    signed_by: Personal[Line] | None = None
    signature: Image | None = None
    refused: Reason | None = None

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> "SignReport":
        if (self.refused is None) == (self.signature is None or self.signed_by is None):
            raise ValueError("signature and signed_by, or refused")
        return self


class SubmitReport(Command[ReportView]):
    """Hand the signed report in."""

    intervention_id: UUID


class ValidateReport(Command[ReportView]):
    """Validate the report: the visit is closed."""

    intervention_id: UUID


class SendBackReport(Command[ReportView]):
    """Send the report back to be completed."""

    intervention_id: UUID
    reason: Reason


class ReportChanged(Event):
    """A report was written or signed."""

    tells: ClassVar[bool] = False

    state: ReportView


class ReportSubmitted(Event):
    """A report waits for a manager."""

    state: ReportView


class ReportSentBack(Event):
    """A manager wants a report completed."""

    state: ReportView
    technician_id: PersonId
    reason: str


class ReportValidated(Event):
    """A manager validated a report; its client may read it."""

    client_sees: ClassVar[bool] = True

    state: ReportView
