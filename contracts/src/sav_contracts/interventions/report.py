"""Reports of visits."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from sav_contracts.files import Image, StoredFile
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import Changed, Command, Event, Line, Personal, PersonId, Prose, Reason, View
from sav_contracts.visibility import Visible
from sav_contracts.wrong_value import WrongValue

ReportStatus = Literal[
    "draft", "signed", "signature_refused", "submitted", "validated", "sent_back", "archived"
]


class ReportView(View):
    """The report of a visit. Its client can read it once it is validated."""

    visible: ClassVar[Visible] = Visible.with_each(InterventionView)

    intervention_id: UUID
    reclamation_id: UUID
    # 1, 2, …: correcting a validated report makes a new edition.
    edition: int
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

    @property
    def parent(self) -> UUID:
        return self.intervention_id

    def for_client(self) -> "ReportView | None":
        return self.model_copy(update={"reason": None}) if self.status in {"validated", "archived"} else None

    def timeline_roots(self) -> frozenset[UUID]:
        return frozenset({self.intervention_id, self.reclamation_id})


class WriteReport(Command[ReportView]):
    """Write the report of a visit, or change it before it is submitted."""

    intervention_id: UUID
    findings: Prose = Field(examples=["Circulateur bloqué, pas de circulation dans le circuit de chauffage."])
    work_done: Prose = Field(examples=["Circulateur remplacé, circuit purgé et remis en pression."])
    recommendations: Prose | None = Field(default=None, examples=["Entretien annuel avant l'hiver."])


class SignatureOrRefusal(WrongValue):
    code = "signature_or_refusal"
    en = "signature and signed_by, or refused"
    fr = "signature et signed_by, ou refused"


class SignReport(Command[ReportView]):
    """Record that the client signed on site, or refused to, with the reason."""

    intervention_id: UUID
    signed_by: Personal[Line] | None = Field(default=None, examples=["Léa Bernard"])
    signature: Image | None = None
    refused: Reason | None = Field(default=None, examples=["La cliente veut d'abord relire le rapport."])

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> "SignReport":
        if (self.refused is None) == (self.signature is None or self.signed_by is None):
            raise SignatureOrRefusal().error()
        return self


class SubmitReport(Command[ReportView]):
    """Submit the signed report."""

    intervention_id: UUID


class ValidateReport(Command[ReportView]):
    """Validate the report, which closes the visit."""

    intervention_id: UUID


class SendBackReport(Command[ReportView]):
    """Send the report back to be completed."""

    intervention_id: UUID
    reason: Reason = Field(examples=["Il manque la pression après remise en service."])


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
