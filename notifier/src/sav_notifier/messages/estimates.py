"""Messages to clients, managers and technicians about estimates."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.interventions.estimate import (
    EstimateAccepted,
    EstimateExpired,
    EstimateRefused,
    EstimateSent,
    EstimateStatus,
    EstimateView,
    EstimateWithdrawn,
    EstimateWritten,
)
from sav_contracts.interventions.invoice import InvoiceView, Lack
from sav_contracts.interventions.payment import PaymentView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.money import Currency
from sav_contracts.time_zone import zone_of
from sav_notifier.message import Internal, Message, Purpose, message
from sav_notifier.recipients import Recipient, client, its_client, its_technician, managers
from sav_notifier.zones import HERE

ADDED = "2026-11-30"
# Payments whose money came; some of it may have been paid back.
RECEIVED = {"captured", "partly_refunded", "refunded"}


class OfEstimate(Message):
    """What every message about an estimate says of it."""

    estimate: str
    # The réclamation or the visit that it is for.
    reference: str | None
    total: Decimal
    currency: Currency

    @classmethod
    async def about(cls, event: Any, tx: Tx) -> Self | str:
        return cls.of(event.state)

    @classmethod
    def of(cls, estimate: EstimateView, **facts: Any) -> Self:
        return cls(
            estimate=estimate.called,
            reference=estimate.reclamation_reference or estimate.visit_reference,
            total=estimate.total,
            currency=estimate.currency,
            **facts,
        )


async def managers_and_technician(event: Any, tx: Tx) -> list[Recipient]:
    found = [*await managers(event, tx), *await its_technician(event, tx)]
    return list({recipient.id: recipient for recipient in found}.values())


def zone_there(estimate: EstimateView) -> str:
    """The zone in which the client reads times."""
    return zone_of(estimate.place.country, estimate.place.postcode) if estimate.place else HERE


@message("estimate_to_validate", on=EstimateWritten, since=ADDED, to=managers, category="billing")
class EstimateToValidate(OfEstimate):
    """Managers have an estimate to check and send."""

    client: str
    lacks: tuple[Lack, ...] = ()
    # Whether the client has no e-mail address, so that nobody can send it to them.
    no_address: bool = False

    @classmethod
    async def about(cls, event: EstimateWritten, tx: Tx) -> Self:
        estimate = event.state
        return cls.of(
            estimate,
            client=estimate.buyer.name,
            lacks=tuple(estimate.lacks),
            no_address=not (await client(tx, estimate.client_id)).email,
        )

    def true_while(self, record: EstimateView) -> bool:
        return record.status == "draft"


@message(
    "estimate_to_answer", on=EstimateSent, since=ADDED, to=its_client, category="billing", link="estimate"
)
class EstimateToAnswer(OfEstimate):
    """The client gets an estimate, and a link to answer it."""

    grant_id: Internal[UUID]
    expires_at: Internal[datetime]
    valid_until: date | None
    # Whether the client got an edition before it.
    replaces: bool = False

    @classmethod
    async def about(cls, event: EstimateSent, tx: Tx) -> Self:
        return cls.of(
            event.state,
            grant_id=event.grant_id,
            expires_at=event.expires_at,
            valid_until=event.state.valid_until,
            replaces=event.state.edition > 1,
        )

    def useful_until(self) -> datetime:
        return self.expires_at

    def true_while(self, record: EstimateView) -> bool:
        return record.status == "sent"


@message(
    "estimate_accepted",
    on=EstimateAccepted,
    since=ADDED,
    to=its_client,
    category="billing",
    link="withdraw",
    lasting=True,
)
class EstimateWasAccepted(OfEstimate):
    """The client reads what they accepted, and until when they may withdraw, with a link for that, or else to the paper."""

    # Of the link to withdraw; where there is no right to, the estimate's own id.
    grant_id: Internal[UUID | None]
    at: datetime
    zone: str
    right: bool
    days: int | None
    until: date | None
    begins_early: bool
    # Whether it was signed on paper: then only the day is known.
    on_paper: bool = False

    @classmethod
    async def about(cls, event: EstimateAccepted, tx: Tx) -> Self | str:
        estimate = event.state
        if estimate.accepted is None:
            return "it says nothing of an acceptance"
        return cls.of(
            estimate,
            grant_id=event.grant_id if estimate.withdrawal.right else estimate.id,
            at=estimate.accepted.at,
            zone=zone_there(estimate),
            right=estimate.withdrawal.right,
            days=estimate.withdrawal.days,
            until=estimate.withdrawal.until,
            begins_early=estimate.accepted.begins_early,
            on_paper=estimate.accepted.how == "paper",
        )

    def link_purpose(self) -> Purpose:
        return "withdraw" if self.right else "paper"


@message(
    "estimate_answered",
    on={
        EstimateAccepted: "tell_of_answer",
        EstimateRefused: "tell_of_refusal",
        EstimateExpired: "tell_of_expiry",
    },
    since=ADDED,
    to=managers_and_technician,
    category="reclamation",
)
class EstimateAnswered(OfEstimate):
    """Staff learn what the client answered, or that nobody did."""

    client: str
    status: EstimateStatus
    reason: str | None
    # Until when the work waits, since the client may withdraw and did not ask for it to begin earlier.
    waits_until: date | None
    keeps_parts: bool
    cancels: bool = False

    @classmethod
    async def about(cls, event: EstimateAccepted | EstimateRefused | EstimateExpired, tx: Tx) -> Self:
        estimate, accepted = event.state, event.state.accepted
        right = estimate.withdrawal
        waits = right.counts_from == "conclusion" and accepted and not accepted.begins_early
        return cls.of(
            estimate,
            client=estimate.buyer.name,
            status=estimate.status,
            reason=estimate.reason,
            waits_until=right.until if waits else None,
            keeps_parts=bool(accepted and accepted.keeps_parts),
            cancels=isinstance(event, EstimateRefused) and event.cancels,
        )


@message(
    "estimate_refused",
    on={EstimateRefused: "confirm_refusal"},
    since=ADDED,
    to=its_client,
    category="appointment",
)
class EstimateWasRefused(OfEstimate):
    """The client who refused reads that this is noted, and whether nobody comes for this work."""

    cancels: bool = True

    @classmethod
    async def about(cls, event: EstimateRefused, tx: Tx) -> Self:
        return cls.of(event.state, cancels=event.cancels)


@message(
    "withdrawal_receipt",
    on={EstimateWithdrawn: "confirm_withdrawal"},
    since=ADDED,
    to=its_client,
    category="billing",
    lasting=True,
)
class WithdrawalReceipt(OfEstimate):
    """The receipt of a withdrawal: what it is about, and when it was made (Code de la consommation, D221-5)."""

    at: datetime
    zone: str
    client: str
    nature: str
    accepted_at: datetime | None
    owed: Literal["nothing", "part_done"]
    begun: bool
    cancels: bool = True

    @classmethod
    async def about(cls, event: EstimateWithdrawn, tx: Tx) -> Self:
        estimate = event.state
        return cls.of(
            estimate,
            at=event.at,
            zone=zone_there(estimate),
            client=estimate.buyer.name,
            nature=estimate.nature,
            accepted_at=estimate.accepted.at if estimate.accepted else None,
            owed=event.owed,
            begun=event.begun,
            cancels=event.cancels,
        )


class Withdrawn(OfEstimate):
    """That a client withdrew, and what is left to do."""

    client: str
    owed: Literal["nothing", "part_done"]
    begun: bool
    cancels: bool = True

    @classmethod
    def told(cls, event: EstimateWithdrawn, **facts: Any) -> Self:
        return cls.of(
            event.state,
            client=event.state.buyer.name,
            owed=event.owed,
            begun=event.begun,
            cancels=event.cancels,
            **facts,
        )


@message(
    "estimate_withdrawn",
    on={EstimateWithdrawn: "tell_of_withdrawal"},
    since=ADDED,
    to=managers,
    category="reclamation",
)
class EstimateWasWithdrawn(Withdrawn):
    """Managers learn that a client withdrew, what is left to do, and what is to be paid back until when."""

    # None where nothing was.
    paid: Decimal | None = None
    pay_back_by: date | None = None

    @classmethod
    async def about(cls, event: EstimateWithdrawn, tx: Tx) -> Self:
        return cls.told(event, paid=await _paid(tx, event.state) or None, pay_back_by=event.pay_back_by)


async def _paid(tx: Tx, estimate: EstimateView) -> Decimal:
    """What was paid, and not paid back, of the invoices of the agreed work and of deposits for it."""
    assert estimate.accepted, "it was accepted"
    agreed_at = estimate.accepted.at
    visits = await _of_case(tx, estimate)
    work = {one.id for one in visits if _does_work(one) and (one.done_at is None or one.done_at > agreed_at)}
    invoices = await tx.copies(InvoiceView).where(intervention_id=[one.id for one in visits]).all()
    of_estimate = [
        one.id
        for one in invoices
        if one.status not in {"draft", "discarded"}
        # A deposit may be asked for on the visit that the estimate was written on.
        and (one.intervention_id in work or (one.deposit and one.created_at > agreed_at))
    ]
    return await received_for(of_estimate, tx)


async def received_for(invoices: list[UUID], tx: Tx) -> Decimal:
    """What was paid for these invoices, and not paid back."""
    if not invoices:
        return Decimal(0)
    payments = await tx.copies(PaymentView).where(parent=invoices).all()
    received = (one for one in payments if one.status in RECEIVED)
    return sum((one.amount - one.refunded for one in received), Decimal(0))


def _does_work(visit: InterventionView) -> bool:
    """Whether it is no mere diagnosis: one on which parts were built in was a repair."""
    return visit.purpose != "diagnostic" or bool(visit.work and visit.work.parts)


async def _of_case(tx: Tx, estimate: EstimateView) -> list[InterventionView]:
    """The visits of the case that it belongs to."""
    visits = tx.copies(InterventionView)
    if estimate.reclamation_id:
        return await visits.where(reclamation_id=estimate.reclamation_id).all()
    if estimate.visit_reference:
        return await visits.where(reference=estimate.visit_reference).all()
    return await visits.where(id=estimate.intervention_id).all()


@message(
    "work_withdrawn",
    on={EstimateWithdrawn: "tell_of_withdrawal"},
    since=ADDED,
    to=its_technician,
    category="reclamation",
)
class WorkWithdrawn(Withdrawn):
    """The technician learns that a client withdrew, and what to do with work that has begun."""

    @classmethod
    async def about(cls, event: EstimateWithdrawn, tx: Tx) -> Self:
        return cls.told(event)
