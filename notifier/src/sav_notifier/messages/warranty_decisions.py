"""What managers decide about the warranty of a visit, for its client."""

from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.catalog.warranty import Coverage
from sav_contracts.interventions.visit import WarrantyDecided
from sav_notifier.cases import case_of
from sav_notifier.message import Message, message
from sav_notifier.recipients import its_client


@message(
    "warranty_decided",
    on={WarrantyDecided: "tell_of_decision"},
    to=its_client,
    category="reclamation",
    since="2026-11-30",
)
class WarrantyOfVisit(Message):
    """The client learns what a manager decided that the warranty pays of a visit, and why.

    A decision for the whole réclamation is told when it is qualified.
    """

    reference: str
    article: str
    decision: Coverage
    parts: int
    labour: int
    travel: int
    reason: str

    @classmethod
    async def about(cls, event: WarrantyDecided, tx: Tx) -> Self | str:
        visit, decided = event.state, event.state.warranty
        if not event.for_this_visit or decided is None or event.reason is None:
            return "no manager decided it for this visit"
        case = await case_of(tx, visit.reclamation_id, visit.id)
        return cls(
            reference=case.reference,
            article=case.article,
            decision=event.decision,
            parts=decided.parts,
            labour=decided.labour,
            travel=decided.travel,
            reason=event.reason,
        )

    def says(self, about: UUID) -> dict[str, str]:
        shares = f"{self.parts}/{self.labour}/{self.travel}"
        return {"coverage": self.decision, "shares": f"{shares} {self.reason}"}
