"""Acts of telephones that were offline, each by the handler of its single command."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import chain
from uuid import UUID

from sqlalchemy import select

from sav_chassis.errors import Conflict, IllegalMove, NotYet, SavError, WrongField, WrongFields
from sav_chassis.refusals import refused, unknown
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.interventions.act import (
    MOST_NAMED,
    Act,
    ActOutcome,
    ActsAnswer,
    ActsRefused,
    ApplyActs,
    RefusedAct,
    SignThen,
    WrongAct,
)
from sav_contracts.interventions.report import SignReport, SubmitReport, WriteReport
from sav_contracts.interventions.visit import MoveIntervention, RecordWork
from sav_interventions.app import interventions
from sav_interventions.commands.report import check_not_final_since, sign_report, submit_report, write_report
from sav_interventions.commands.signature import SignatureUnknown, signature_of
from sav_interventions.commands.visit import make_move
from sav_interventions.commands.visit_photo import NoSuchPhoto
from sav_interventions.commands.work import keep_reading, record_work
from sav_interventions.model import AnsweredAct, Intervention, Report
from sav_interventions.move_times import SKEW, NotYetHappened
from sav_interventions.said import Overtaken
from sav_interventions.unmade import is_told


class ActBeforeMissing(Conflict):
    """An act before this one has not come, or could not be done yet; this one waits, and is sent again with it."""

    code = "act_before_missing"
    en = "An act before this one is still to be done: send both"
    fr = "Un acte précédent reste à faire\N{NO-BREAK SPACE}: envoyez les deux"


class ActReused(WrongField):
    field: str = "id"
    en = "another act came under this id"
    fr = "un autre acte est arrivé sous cet identifiant"


# Refused for now: once their cause is gone the same act is done.
FOR_NOW = (ActBeforeMissing, NotYetHappened, SignatureUnknown, NoSuchPhoto)
# An act with its time and its place in what was sent.
Placed = tuple[datetime, int, Act]


@dataclass
class Batch:
    """What became of acts so far."""

    answered_before: dict[UUID, AnsweredAct]
    new: dict[UUID, AnsweredAct] = field(default_factory=dict)
    # The visits of which an act was refused for now: those after it wait too.
    waiting: set[UUID] = field(default_factory=set)
    # Of each visit, in order, what was refused and is told.
    told: dict[UUID, list[RefusedAct]] = field(default_factory=dict)
    # How many acts of each visit were wrong by themselves: managers only hear that they are among the refused.
    wrong: Counter[UUID | None] = field(default_factory=Counter)

    def answered(self, id: UUID) -> AnsweredAct | None:
        return self.answered_before.get(id) or self.new.get(id)


@interventions.command(ApplyActs)
async def apply_acts(cmd: ApplyActs, tx: Tx, by: Actor) -> ActsAnswer:
    """Do what was done offline, in the order in which it happened; one that is refused changes nothing for the others."""
    acts = {place: act for place, act in enumerate(cmd.acts) if not isinstance(act, WrongAct)}
    batch = Batch(await _lock_all(list(acts.values()), tx, by))
    outcomes = {place: _wrong(act) for place, act in enumerate(cmd.acts) if isinstance(act, WrongAct)}
    batch.wrong.update(outcome.intervention_id for outcome in outcomes.values())
    for _, place, act in _in_order(acts):
        outcomes[place] = await _outcome(act, batch, tx, by)
    tx.insert(batch.new.values())
    await _tell_of_refused(batch, tx, by)
    return ActsAnswer(acts=[outcomes[place] for place in range(len(cmd.acts))])


def _in_order(acts: Mapping[int, Act]) -> Iterator[Placed]:
    """By time, then as they were sent; none before the one that it names as the one before it."""
    here = {act.id for act in acts.values()}
    ready: list[Placed] = []
    followers: dict[UUID, list[Placed]] = {}
    for place, act in acts.items():
        among = ready if act.after is None or act.after not in here else followers.setdefault(act.after, [])
        among.append((act.at, place, act))
    heapify(ready)
    while ready:
        yield (first := heappop(ready))
        for one in followers.pop(first[2].id, []):
            heappush(ready, one)
    # What names itself, or others in a circle, is refused.
    yield from chain.from_iterable(followers.values())


async def _lock_all(acts: Sequence[Act], tx: Tx, by: Actor) -> dict[UUID, AnsweredAct]:
    """Takes all locks first: of this technician's acts, then of their visits by id. Answers what was answered before."""
    await tx.lock(f"acts of {by.id}")
    visits = {act.what.intervention_id for act in acts}
    await tx.session.scalars(
        select(Intervention.id)
        .where(Intervention.id.in_(visits), Intervention.technician_id == by.id)
        .order_by(Intervention.id)
        .with_for_update()
    )
    found = await tx.session.scalars(
        select(AnsweredAct).where(
            AnsweredAct.technician_id == by.id,
            AnsweredAct.id.in_({act.id for act in acts} | {act.after for act in acts if act.after}),
        )
    )
    return {kept.id: kept for kept in found}


async def _outcome(act: Act, batch: Batch, tx: Tx, by: Actor) -> ActOutcome:
    """What became of an act; kept in the batch unless it was refused for now: then its visit waits."""
    if kept := batch.answered(act.id):
        if kept.fingerprint != _fingerprint(act):
            return _refused(act, ActReused())
        again = {"outcome": "done_before"} if kept.outcome.outcome == "done" else {}
        return kept.outcome.model_copy(update=again)
    visit_id = act.what.intervention_id
    if visit_id in batch.waiting:
        return _refused(act, ActBeforeMissing(), again=True)
    outcome, for_good = await _tried(act, batch, tx, by)
    if not for_good:
        batch.waiting.add(visit_id)
    else:
        batch.new[act.id] = AnsweredAct(
            technician_id=by.id,
            id=act.id,
            fingerprint=_fingerprint(act),
            outcome=outcome,
            answered_at=tx.now,
        )
        await _note_refused(act, outcome, batch, tx, by)
    return outcome


async def _tried(act: Act, batch: Batch, tx: Tx, by: Actor) -> tuple[ActOutcome, bool]:
    """Does an act in a savepoint; also whether the answer stays the same whenever it is sent again."""
    if act.after and not batch.answered(act.after):
        return _refused(act, ActBeforeMissing(), again=True), False
    if act.at > tx.now + SKEW:
        return _refused(act, NotYetHappened(), again=True), False
    try:
        async with tx.savepoint():
            record = await _do(act, tx, by)
            await tx.flush()
            tx.check_size(record)
    except Overtaken as refusal:
        return _refused(act, await _keep_reading(act, tx, by) or refusal), True
    except NotYet as missing:
        return _refused(act, unknown(missing, act, "id"), again=True), False
    except SavError as refusal:
        for_now = isinstance(refusal, FOR_NOW)
        return _refused(act, refusal, again=for_now), not for_now
    status = record.status if isinstance(record, Intervention) and act.move else None
    done = ActOutcome(id=act.id, intervention_id=act.what.intervention_id, outcome="done", status=status)
    return done, True


async def _keep_reading(act: Act, tx: Tx, by: Actor) -> SavError | None:
    """Takes what was measured in an act that was overtaken; the refusal where the visit does not allow it."""
    if act.work is None:
        return None
    try:
        async with tx.savepoint():
            if record := await keep_reading(act.work, act.at, tx, by):
                await tx.flush()
                tx.check_size(record)
    except SavError as refusal:
        return refusal
    return None


async def _do(act: Act, tx: Tx, by: Actor) -> Intervention | Report:
    match act.what:
        case MoveIntervention() as move:
            return await make_move(move.model_copy(update={"at": act.at}), tx, by, offline=True)
        case RecordWork() as work:
            return await record_work(work, tx, by, act.at)
        case WriteReport() as text:
            await check_not_final_since(text.intervention_id, act.at, tx, by)
            return await write_report(text, tx, by, act.at)
        case SignThen() as signed:
            return await _sign(signed, act, tx, by)
        case SubmitReport() as submit:
            return await submit_report(submit, tx, by, act.at)


async def _sign(signed: SignThen, act: Act, tx: Tx, by: Actor) -> Report:
    await tx.load(Intervention, signed.intervention_id, by)
    file = await signature_of(signed, tx)
    command = SignReport(
        intervention_id=signed.intervention_id,
        signed_by=signed.signed_by,
        signature=file,
        refused=signed.refused,
    )
    return await sign_report(command, tx, by, act.at)


async def _note_refused(act: Act, outcome: ActOutcome, batch: Batch, tx: Tx, by: Actor) -> None:
    """Notes what managers hear of."""
    if outcome.problem is None:
        return
    if outcome.problem.status != IllegalMove.status:
        batch.wrong[outcome.intervention_id] += 1
        return
    visit = await tx.load(Intervention, act.what.intervention_id, by)
    if is_told(act, outcome, visit, by):
        told = RefusedAct(act=act.name, at=act.at, code=outcome.problem.code)
        batch.told.setdefault(visit.id, []).append(told)


async def _tell_of_refused(batch: Batch, tx: Tx, by: Actor) -> None:
    """Tells managers what could not be done, although its technician believes that it was."""
    for id, acts in sorted(batch.told.items()):
        visit = await tx.load(Intervention, id, by)
        tx.emit(visit, ActsRefused(acts=acts[:MOST_NAMED], number=len(acts) + batch.wrong[id]))


def _refused(act: Act, refusal: SavError, again: bool = False) -> ActOutcome:
    return ActOutcome(
        id=act.id,
        intervention_id=act.what.intervention_id,
        outcome="refused",
        again=again,
        problem=refused(refusal),
    )


def _wrong(act: WrongAct) -> ActOutcome:
    """Refused as its single command is, and not kept: it may come again, corrected."""
    problem = refused(WrongFields.from_pydantic(act.error))
    return ActOutcome(id=act.id, intervention_id=act.intervention_id, outcome="refused", problem=problem)


def _fingerprint(act: Act) -> bytes:
    return hashlib.sha256(act.model_dump_json(exclude_unset=True).encode()).digest()
