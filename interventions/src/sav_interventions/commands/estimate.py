"""Estimates: written by technicians and managers, sent by managers, answered by their clients."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import Conflict, NoSuch, WrongField
from sav_chassis.identity import Links
from sav_chassis.law.withdrawal import concluded, right_to_withdraw
from sav_chassis.money import check_decimals
from sav_chassis.shared_refusals import LinkExpired
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.catalog.product import Place, ProductView
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.estimate import (
    Acceptance,
    AcceptEstimate,
    Answer,
    AnsweredHow,
    AnswerEstimateByLink,
    EstimateAccepted,
    EstimateChanged,
    EstimateRefused,
    EstimateSent,
    EstimateShown,
    EstimateSuperseded,
    EstimateWritten,
    GetEstimateByLink,
    RecordSignedEstimate,
    RefuseEstimate,
    ValidateEstimate,
    WriteEstimate,
)
from sav_contracts.interventions.invoice import Buyer
from sav_contracts.labels import label
from sav_contracts.sentences import Text
from sav_contracts.times import HORIZON
from sav_interventions.agreed_price import with_warranty
from sav_interventions.agreement import (
    Case,
    last_done,
    lock_visits,
    of_same_case,
    of_this_job,
    stops_with,
)
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words
from sav_interventions.days import today
from sav_interventions.estimate_effects import print_estimate
from sav_interventions.estimate_timers import expire_estimate
from sav_interventions.lacking import check_may_be_sent, lacking, lacking_of_firm
from sav_interventions.lifecycle import ESTIMATE, OVER
from sav_interventions.model import Estimate, Intervention
from sav_interventions.model.estimate import REFERENCES
from sav_interventions.settings import billing
from sav_interventions.supplied import as_named, as_said, check_subcontracted, place_of, supply_of

# What is signed into a link of either kind.
ANSWER = "estimate"


class VisitOver(Conflict):
    """An estimate is for work that is still to be done."""

    code = "visit_over"
    state: Text
    en = "The visit is {state}: there is nothing to estimate"
    fr = "L’intervention est à l’état « {state} » : il n’y a plus rien à chiffrer"


class NotUrgent(WrongField):
    field: str = "urgent"
    en = "only a repair or maintenance at the client's home is urgent, not a sale with its fitting"
    fr = "seuls une réparation ou un entretien chez le client sont urgents, pas une vente avec pose"


class ValidInPast(WrongField):
    field: str = "valid_until"
    en = "this day is over"
    fr = "ce jour est passé"


class ValidTooLong(WrongField):
    field: str = "valid_until"
    en = "at most a year ahead"
    fr = "au plus un an à l’avance"


class AcknowledgeLoss(WrongField):
    field: str = "acknowledges_loss"
    en = (
        "to have the work begin before the right to withdraw ends, acknowledge that what is done until a withdrawal is "
        "paid, and that the right ends once all is done"
    )
    fr = (
        "pour que les travaux commencent avant la fin du délai de rétractation, reconnaissez que ce qui est fait jusqu’à "
        "une rétractation reste dû, et que le droit prend fin une fois tout exécuté"
    )


class StillToCome(WrongField):
    en = "this day is still to come"
    fr = "cette date est encore à venir"


class BeforeThat(WrongField):
    first: date
    en = "not before {first}"
    fr = "pas avant le {first}"


@interventions.command(WriteEstimate)
async def write_estimate(cmd: WriteEstimate, tx: Tx, by: Actor) -> Estimate:
    """Write or rewrite the draft of a visit's estimate; after one that was sent, begin the next edition."""
    visit = await tx.load(Intervention, cmd.intervention_id, by)
    if visit.status in OVER:
        raise VisitOver(state=label(visit.status))
    check_amount(cmd.lines, "lines")
    check_words(cmd.lines, "lines")
    if cmd.discount and cmd.discount.amount:
        check_decimals(cmd.discount.amount, billing().law.currency, "discount.amount")
    await Case.of(visit).lock(tx)
    editions = await _editions(visit, tx)
    last = max(editions, key=lambda one: (one.created_at, one.id), default=None)
    draft = last if last and last.status == "draft" else await _begun(visit, last, tx)
    draft.intervention_id, draft.technician_id = visit.id, visit.technician_id
    taken = [one.edition for one in editions if one is not draft and _is_beside(one, draft)]
    draft.edition = max(taken, default=0) + 1
    await _write(draft, cmd, visit, tx)
    tx.emit(
        draft if draft is last else tx.add(draft), EstimateChanged() if draft is last else EstimateWritten()
    )
    return draft


async def _editions(visit: Intervention, tx: Tx) -> list[Estimate]:
    """The editions for the job of a visit, locked: what was accepted and done before in its case is another estimate."""
    found = list(await tx.session.scalars(of_same_case(visit).with_for_update()))
    last = await last_done(visit, tx)
    done = {one.reference for one in found if last and one.accepted and one.accepted.at <= last}
    return [one for one in found if one.reference not in done or one.intervention_id == visit.id]


def _is_beside(one: Estimate, draft: Estimate) -> bool:
    """Whether the two may not have the same number: they are called alike, or of the same visit."""
    return one.reference == draft.reference or one.intervention_id == draft.intervention_id


async def _begun(visit: Intervention, last: Estimate | None, tx: Tx) -> Estimate:
    year = today(tx).year
    reference = last.reference if last else f"DEV-{year}-{await tx.session.scalar(REFERENCES):06}"
    return Estimate(
        id=tx.new_id(),
        client_id=visit.client_id,
        reclamation_id=visit.reclamation_id,
        reclamation_reference=visit.reclamation_reference,
        visit_reference=visit.reference,
        reference=reference,
        status="draft",
    )


async def _write(draft: Estimate, cmd: WriteEstimate, visit: Intervention, tx: Tx) -> None:
    law, country = billing().law, billing().jurisdiction
    product = await tx.view(ProductView, visit.product_id) if visit.product_id else None
    client = await tx.view(ClientView, visit.client_id)
    place = Place.model_validate(cmd.place.model_dump()) if cmd.place else place_of(product, visit)
    draft.currency, draft.seller = law.currency, billing().seller
    draft.written_on = today(tx)
    supply = await supply_of(visit, product, place, draft.written_on, tx)
    # What a diagnosis finds is repaired.
    works = "repair" if supply.works == "diagnosis" else supply.works
    said = {"certified": cmd.certified, "buyer": cmd.buyer_kind or supply.buyer, "works": works}
    supply = supply.model_copy(update=said)
    if cmd.supplies and works != "install":
        # Something is sold with its fitting, and only words say what.
        supply = supply.model_copy(update={"fossil_heating": supply.fossil_heating or None})
    supply = await as_named(as_said(supply, cmd.supply), cmd.lines, tx)
    check_subcontracted(supply, law)
    supplies = supply.works == "install" if cmd.supplies is None else cmd.supplies
    if cmd.urgent and (supplies or cmd.setting != "at_home"):
        raise NotUrgent
    draft.buyer = Buyer(name=client.name, address=place.on_one_line if place else None, kind=supply.buyer)
    draft.place = place.model_copy(update={"access_notes": None}) if place else None
    draft.nature, draft.guarantees = cmd.nature, cmd.guarantees
    draft.schedule = cmd.schedule or (None if draft.buyer.is_business else law.usual_schedule)
    draft.withdrawal = right_to_withdraw(
        country,
        draft.written_on,
        setting=cmd.setting,
        consumer=supply.buyer == "private",
        urgency=cmd.urgent,
        supplies=supplies,
    )
    lines = cmd.lines
    if visit.warranty and visit.warranty.decision == "partly":
        # The client reads what they are to pay: it is what the invoice will ask for.
        lines = with_warranty(lines, visit.warranty)
    draft.itemise(lines, law, supply, cmd.discount)
    of_firm = lacking_of_firm(draft.seller, supply.buyer, country)
    draft.lacks = [*lacking(draft.buyer, supply, law), *of_firm]


@interventions.command(ValidateEstimate)
async def validate_estimate(cmd: ValidateEstimate, tx: Tx, by: Actor) -> Estimate:
    """Send a draft to its client. An edition that waits for an answer is superseded."""
    estimate = await alone(cmd.estimate_id, tx, by)
    until = cmd.valid_until or today(tx) + timedelta(billing().estimate_days)
    if until < today(tx):
        raise ValidInPast
    if until > today(tx) + HORIZON:
        raise ValidTooLong
    check_may_be_sent(estimate.lacks)
    estimate.send(until, tx.now, tx.new_id(), by)
    await _supersede(estimate, "sent", tx)
    assert estimate.answer_grant
    ends = _end_of(until, estimate)
    tx.emit(estimate, EstimateSent(grant_id=estimate.answer_grant, expires_at=ends))
    tx.remind(expire_estimate, estimate.id, ends)
    tx.later(print_estimate, estimate.id)
    return estimate


@interventions.command(AcceptEstimate)
async def accept_estimate(cmd: AcceptEstimate, tx: Tx, by: Actor) -> Estimate:
    """Accept it on the site."""
    estimate = await theirs(cmd.estimate_id, tx, by)
    await _accept(estimate, cmd, "site", tx, by)
    return estimate


@interventions.command(RecordSignedEstimate)
async def record_signed_estimate(cmd: RecordSignedEstimate, tx: Tx, by: Actor) -> Estimate:
    """Record that its client accepted it on paper: they may have no account, and no address for a link."""
    estimate = await alone(cmd.estimate_id, tx, by)
    ESTIMATE.check(estimate.status, "accepted", by)
    assert estimate.sent_at, "it was sent"
    # The first moment: work of that day came after it.
    at = moment_of(cmd.signed_on, estimate.sent_at, estimate, tx.now, "signed_on")
    await _accept(estimate, cmd, "paper", tx, by, at)
    # Not printed anew: this is what the client agreed to.
    estimate.document = cmd.paper
    return estimate


def moment_of(on: date | None, since: datetime, estimate: Estimate, now: datetime, field: str) -> datetime:
    """The first moment of that day at the place after `since`; now, where it is today or none is given.

    Raises `StillToCome` or `BeforeThat`, naming the field.
    """
    today = estimate.day(now)
    if on is None or on == today:
        return now
    if on > today:
        raise StillToCome(field=field)
    if on < (first := estimate.day(since)):
        raise BeforeThat(field=field, first=first)
    return max(since, datetime.combine(on, time(), estimate.zone).astimezone(UTC))


@interventions.command(RefuseEstimate)
async def refuse_estimate(cmd: RefuseEstimate, tx: Tx, by: Actor) -> Estimate:
    """Refuse it on the site."""
    await lock_visits(cmd.estimate_id, tx)
    estimate = await theirs(cmd.estimate_id, tx, by)
    await _refuse(estimate, cmd.reason, tx, by)
    return estimate


@interventions.query(GetEstimateByLink)
async def get_estimate_by_link(query: GetEstimateByLink, tx: Tx, by: Actor) -> EstimateShown:
    """The estimate in its state of now, until its last day; also where it was answered."""
    grant = Links(tx.settings.link_secret).grant(ANSWER, query.token.get_secret_value())
    found = await tx.session.scalar(select(Estimate).where(Estimate.answer_grant.in_([grant])))
    if found is None or found.valid_until is None or found.day(tx.now) > found.valid_until:
        raise LinkExpired
    return shown(found)


@interventions.command(AnswerEstimateByLink)
async def answer_estimate_by_link(cmd: AnswerEstimateByLink, tx: Tx, by: Actor) -> EstimateShown:
    """Accept or refuse it by the link, without an account."""
    grant = Links(tx.settings.link_secret).grant(ANSWER, cmd.token.get_secret_value())
    id = await tx.session.scalar(select(Estimate.id).where(Estimate.answer_grant.in_([grant])))
    if id is None:
        raise LinkExpired
    await lock_visits(id, tx)
    estimate = await alone(id, tx, SYSTEM)
    if estimate.status == ("accepted" if cmd.accept else "refused") and estimate.was_just_answered(tx.now):
        return shown(estimate)
    if estimate.status != "sent":
        raise LinkExpired
    if cmd.accept:
        await _accept(estimate, cmd, "link", tx, SYSTEM)
    else:
        await _refuse(estimate, cmd.reason, tx, SYSTEM)
    estimate.link_used_at = tx.now
    return shown(estimate)


def shown(estimate: Estimate) -> EstimateShown:
    """The estimate as whoever holds its link reads it."""
    return EstimateShown.model_validate(estimate, from_attributes=True)


async def _accept(
    estimate: Estimate, said: Answer, how: AnsweredHow, tx: Tx, by: Actor, at: datetime | None = None
) -> None:
    """Concludes the contract, now or when it was signed."""
    at = at or tx.now
    estimate.move("accepted", by)
    estimate.check_valid(at)
    right = concluded(estimate.withdrawal, billing().jurisdiction, estimate.day(at), estimate.place)
    if right.right and said.begins_early and not said.acknowledges_loss:
        raise AcknowledgeLoss
    estimate.withdrawal = right
    estimate.accepted = Acceptance(
        at=at, how=how, keeps_parts=said.keeps_parts, begins_early=right.right and said.begins_early
    )
    # It is printed anew, with what was accepted.
    estimate.document = None
    estimate.withdrawal_grant = tx.new_id() if right.right else None
    await _supersede(estimate, "accepted", tx)
    tx.forget(expire_estimate, estimate.id)
    tx.emit(estimate, EstimateAccepted(grant_id=estimate.withdrawal_grant))
    tx.later(print_estimate, estimate.id)


async def _refuse(estimate: Estimate, reason: str | None, tx: Tx, by: Actor) -> None:
    estimate.move("refused", by)
    estimate.check_valid(tx.now)
    estimate.reason = reason
    tx.forget(expire_estimate, estimate.id)
    tx.emit(estimate, EstimateRefused(reason=reason, cancels=bool(await stops_with(estimate, tx))))


async def alone(id: UUID, tx: Tx, by: Actor) -> Estimate:
    """The estimate, locked, with the other editions of its case: nobody changes any of them meanwhile."""
    # Only what it is for: the rest that is read before the lock may be changed by then.
    about = select(Estimate.intervention_id, Estimate.reclamation_id, Estimate.visit_reference)
    if found := (await tx.session.execute(about.where(Estimate.id == id))).one_or_none():
        await Case(*found).lock(tx)
    return await tx.load(Estimate, id, by)


async def theirs(id: UUID, tx: Tx, by: Actor) -> Estimate:
    """The client's own, where it was sent to them: a draft is none of theirs yet."""
    estimate = await alone(id, tx, by)
    if estimate.status == "draft":
        raise NoSuch(kind=label(Estimate.kind()), id=id)
    return estimate


async def _supersede(estimate: Estimate, status: str, tx: Tx) -> None:
    """Other editions for the same job that are in this state make room for this one."""
    for other in await of_this_job(estimate, tx, locked=True):
        if other is estimate or other.status != status:
            continue
        other.supersede()
        tx.forget(expire_estimate, other.id)
        tx.emit(other, EstimateSuperseded())


def _end_of(until: date, estimate: Estimate) -> datetime:
    """When that day ends at the place."""
    return datetime.combine(until + timedelta(days=1), time(), estimate.zone)
