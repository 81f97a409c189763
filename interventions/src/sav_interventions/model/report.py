"""Reports of visits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict
from sav_chassis.model import Aggregate, Kept
from sav_contracts.actor import Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import ReportStatus, ReportView
from sav_interventions.lifecycle import REPORT


class SignedAlready(Conflict):
    """What was signed says what it said then."""

    code = "signed_already"


class SignatureMissing(Conflict):
    """What was written again must be signed again, or be refused again."""

    code = "signature_missing"


class Report(Aggregate):
    """What a technician reports of a visit; a correction after its validation is another edition."""

    __tablename__ = "report"

    intervention_id: Mapped[UUID]
    reclamation_id: Mapped[UUID]
    edition: Mapped[int]
    findings: Mapped[str]
    work_done: Mapped[str]
    recommendations: Mapped[str | None]
    signed_by: Mapped[str | None]
    signature: Mapped[StoredFile | None] = mapped_column(Kept(StoredFile))
    signed_at: Mapped[datetime | None]
    signature_refused: Mapped[str | None]
    status: Mapped[ReportStatus]
    reason: Mapped[str | None]

    def is_final(self) -> bool:
        """Whether what is to be said otherwise needs another edition."""
        return self.status in {"validated", "archived"}

    def rewrite(self, findings: str, work_done: str, recommendations: str | None) -> None:
        """Says it otherwise; a signature was for what it said before."""
        if self.status not in {"draft", "sent_back"}:
            raise SignedAlready(
                f"the report is {self.status}: it can be changed once a manager has sent it back"
            )
        self.findings, self.work_done, self.recommendations = findings, work_done, recommendations
        self.signed_by = self.signature = self.signed_at = self.signature_refused = None

    def sign(self, name: str, signature: StoredFile, at: datetime, by: Actor) -> None:
        """The client agrees."""
        self._move_unless_sent_back("signed", by)
        self.signed_by, self.signature, self.signed_at, self.signature_refused = name, signature, at, None

    def refuse_signature(self, why: str, by: Actor) -> None:
        """The client does not sign."""
        self._move_unless_sent_back("signature_refused", by)
        self.signed_by = self.signature = self.signed_at = None
        self.signature_refused = why

    def submit(self, by: Actor) -> None:
        """Goes to a manager."""
        self.move("submitted", None, by)
        if self.signature is None and self.signature_refused is None:
            raise SignatureMissing(
                "the report was written again: let it be signed again before you submit it"
            )

    def move(self, to: ReportStatus, reason: str | None, by: Actor) -> None:
        REPORT.check(self.status, to, by)
        self.status, self.reason = to, reason

    def _move_unless_sent_back(self, to: ReportStatus, by: Actor) -> None:
        if self.status != "sent_back":
            self.move(to, None, by)

    def view(self) -> ReportView:
        return ReportView.model_validate(self, from_attributes=True)
