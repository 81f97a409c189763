"""Messages to clients, technicians and managers about reports."""

from typing import Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.auth.account import AccountView
from sav_contracts.interventions.report import ReportSentBack, ReportSubmitted, ReportValidated, ReportView
from sav_contracts.interventions.technician import TechnicianView
from sav_contracts.interventions.visit import InterventionView
from sav_notifier.cases import case_of
from sav_notifier.message import Internal, Message, message
from sav_notifier.recipients import (
    Recipient,
    client,
    fellow_managers,
    holder,
    in_their_place,
    managers,
    technician,
    technician_name,
)


@message(
    "report_to_validate",
    on={ReportSubmitted: "ask_to_validate"},
    to=fellow_managers,
    category="reclamation",
)
class ReportToValidate(Message):
    """Managers have a report to read."""

    reference: str
    technician: str
    signature_refused: str | None
    # Whether it corrects a report that was validated: then its visit is closed already.
    corrected: bool = False
    # The manager who submitted it, where the technician takes no visits any more.
    by: str | None = None

    @classmethod
    async def about(cls, event: ReportSubmitted, tx: Tx) -> Self:
        visit = await tx.view(InterventionView, event.state.intervention_id)
        return cls(
            reference=visit.called,
            technician=await technician_name(tx, visit.technician_id),
            signature_refused=event.state.signature_refused,
            corrected=event.state.edition > 1,
            by=await in_their_place(tx, visit.technician_id),
        )

    def true_while(self, record: ReportView) -> bool:
        return record.status == "submitted"


async def its_author(event: ReportSentBack, tx: Tx) -> list[Recipient]:
    return [await technician(tx, event.technician_id)]


@message(
    "report_sent_back",
    on={ReportSentBack: "return_report"},
    to=its_author,
    category="assignment",
)
class ReportSentBackToYou(Message):
    """The technician learns what is missing in the report."""

    reference: str
    reason: str

    @classmethod
    async def about(cls, event: ReportSentBack, tx: Tx) -> Self:
        visit = await tx.view(InterventionView, event.state.intervention_id)
        return cls(reference=visit.called, reason=event.reason)

    def true_while(self, record: ReportView) -> bool:
        return record.status == "sent_back"


async def who_finishes_it(event: ReportSentBack, tx: Tx) -> list[Recipient]:
    """Whoever wrote it in the technician's place, and the managers, but for the one who sent it back."""
    author = event.state.written_by_id
    wrote = [holder(await tx.view(AccountView, author))] if author else []
    found = {one.id: one for one in [*wrote, *await managers(event, tx)]}
    found.pop(tx.context.actor_id, None)
    return [*found.values()]


@message(
    "report_to_finish",
    on=ReportSentBack,
    since="2026-11-30",
    to=who_finishes_it,
    category="reclamation",
)
class ReportToFinish(Message):
    """Whoever wrote a report, and the other managers, learn that it is theirs to complete.

    Its technician takes no visits any more.
    """

    reference: str
    technician: str
    reason: str

    @classmethod
    async def about(cls, event: ReportSentBack, tx: Tx) -> Self | str:
        card = await tx.view(TechnicianView, event.technician_id)
        if card.active:
            return "its technician completes it"
        visit = await tx.view(InterventionView, event.state.intervention_id)
        return cls(reference=visit.called, technician=card.name, reason=event.reason)

    def true_while(self, record: ReportView) -> bool:
        return record.status == "sent_back"


async def its_reader(event: ReportValidated, tx: Tx) -> list[Recipient]:
    visit = await tx.view(InterventionView, event.state.intervention_id)
    return [await client(tx, visit.client_id)]


@message(
    "report_available",
    on={ReportValidated: "announce_report"},
    to=its_reader,
    category="reclamation",
    link="paper",
)
class ReportAvailable(Message):
    """The client may read the report, by a link."""

    # The report's own id; messages from before have none.
    grant_id: Internal[UUID | None] = None

    reference: str
    article: str
    recommendations: str | None
    # Whether it takes the place of one that they could read before.
    corrected: bool = False

    @classmethod
    async def about(cls, event: ReportValidated, tx: Tx) -> Self:
        case = await case_of(tx, event.state.reclamation_id, event.state.intervention_id)
        return cls(
            grant_id=event.state.id,
            reference=case.reference,
            article=case.article,
            recommendations=event.state.recommendations,
            corrected=event.state.edition > 1,
        )
