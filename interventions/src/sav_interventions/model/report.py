"""Reports of visits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.errors import Conflict
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate, JsonColumn
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.files import StoredFile
from sav_contracts.interventions.report import ReportPhoto, ReportStatus, ReportView
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_interventions.lifecycle import REPORT

# What no report goes without: its findings and the work done.
PARTS = (Text("what was found", "le constat"), Text("what was done", "le travail effectué"))


class SignedAlready(Conflict):
    """A signed report cannot be changed until a manager sends it back."""

    code = "signed_already"
    state: Text
    en = "The report is {state}: it can be changed once a manager has sent it back"
    fr = (
        "Le rapport est à l’état « {state} » : il pourra être modifié quand un responsable SAV l’aura renvoyé"
    )


class SignatureMissing(Conflict):
    """A rewritten report needs a new signature, or a new refusal to sign."""

    code = "signature_missing"
    en = "The report was written again: let it be signed again before you submit it"
    fr = "Le rapport a été réécrit : faites-le signer de nouveau avant de le remettre"


class ReportIncomplete(Conflict):
    """A report is signed and submitted as a whole: it says what was found and what was done."""

    code = "report_incomplete"
    missing: Text
    en = "The report lacks {missing}"
    fr = "Il manque au rapport {missing}"


class Report(Aggregate[ReportView], Stateful[ReportStatus]):
    """A technician's report of a visit; a correction after validation is another edition."""

    __tablename__ = "report"
    lifecycle = REPORT

    intervention_id: Mapped[UUID]
    reclamation_id: Mapped[UUID | None]
    edition: Mapped[int]
    findings: Mapped[str]
    work_done: Mapped[str]
    recommendations: Mapped[str | None]
    signed_by: Mapped[str | None]
    signature: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    signed_at: Mapped[datetime | None]
    signature_refused: Mapped[str | None]
    signature_refused_at: Mapped[datetime | None]
    status: Mapped[ReportStatus]
    reason: Mapped[str | None]
    photos: Mapped[list[ReportPhoto]] = mapped_column(JsonColumn(list[ReportPhoto]), default=list)
    submitted_at: Mapped[datetime | None]
    document: Mapped[StoredFile | None] = mapped_column(JsonColumn(StoredFile))
    written_by_id: Mapped[UUID | None]
    # When it was last written, signed, submitted or sent back, and since when it reads as it does.
    last_at: Mapped[datetime | None]
    reads_since: Mapped[datetime | None]

    def is_final(self) -> bool:
        """Whether a correction needs another edition."""
        return self.status in {"validated", "archived"}

    def rewrite(
        self, findings: str, work_done: str, recommendations: str | None, photos: list[ReportPhoto]
    ) -> bool:
        """Replaces what it says and removes the signature, which was for what it said before.

        False where it says the same: then nothing changes.
        """
        if self.status not in {"draft", "sent_back"}:
            raise SignedAlready(state=label(self.status))
        said = (self.findings, self.work_done, self.recommendations, self.photos)
        if said == (findings, work_done, recommendations, photos):
            return False
        self.findings, self.work_done, self.recommendations = findings, work_done, recommendations
        self.photos = photos
        self._remove_signature()
        return True

    def unsign(self) -> bool:
        """Removes signature and paper, until it is submitted and after it was sent back; false where there is none."""
        if self.status in {"signed", "signature_refused"}:
            self.move("draft", SYSTEM)
        elif self.status != "sent_back" or not (
            self.signature or self.signature_refused or self.submitted_at
        ):
            return False
        self._remove_signature()
        return True

    def _remove_signature(self) -> None:
        self.signed_by = self.signature = self.signed_at = None
        self.signature_refused = self.signature_refused_at = None
        self.submitted_at = self.document = None

    def sign(self, name: str, signature: StoredFile, at: datetime, by: Actor) -> None:
        """The client signs."""
        self._move_unless_sent_back("signed", by)
        self._check_whole()
        self.signed_by, self.signature, self.signed_at = name, signature, at
        self.signature_refused = self.signature_refused_at = None

    def refuse_signature(self, why: str, at: datetime, by: Actor) -> None:
        """The client refuses to sign; records why."""
        self._move_unless_sent_back("signature_refused", by)
        self._check_whole()
        self.signed_by = self.signature = self.signed_at = None
        self.signature_refused, self.signature_refused_at = why, at

    def submit(self, at: datetime, by: Actor) -> None:
        """Submits it to managers; raises `SignatureMissing` without a signature or a refusal of one."""
        self.move("submitted", by)
        self._check_whole()
        if self.signature is None and self.signature_refused is None:
            raise SignatureMissing
        self.submitted_at, self.document = at, None

    def move(self, to: ReportStatus, by: Actor, reason: str | None = None) -> None:
        super().move(to, by)
        self.reason = reason

    def _move_unless_sent_back(self, to: ReportStatus, by: Actor) -> None:
        if self.status != "sent_back":
            self.move(to, by)

    def _check_whole(self) -> None:
        lacks = [name for name, text in zip(PARTS, (self.findings, self.work_done), strict=True) if not text]
        if lacks:
            raise ReportIncomplete(
                missing=Text(" and ".join(one.en for one in lacks), " et ".join(one.fr for one in lacks))
            )
