"""The clocks of réclamations at work: they follow every change, and tell when they are nearly or wholly over."""

from asyncio import sleep
from datetime import datetime
from time import monotonic
from uuid import UUID

from sqlalchemy import exists, select, update

from sav_chassis.model import settles
from sav_chassis.tx import EffectRun, Tx
from sav_claims.app import claims
from sav_claims.clocks import COVERED, Facts
from sav_claims.model import Reclamation
from sav_contracts.actor import SYSTEM
from sav_contracts.auth.policy import PolicyChanged, PolicySet, PolicyView, SlaTargets
from sav_contracts.catalog.product import ProductView
from sav_contracts.claims.reclamation import (
    OVER,
    ReclamationChanged,
)
from sav_contracts.claims.sla import SlaBreached, SlaWarning
from sav_contracts.time_zone import zone_of

# Réclamations whose clocks are set anew in one transaction: few, so that no command waits long for one of them.
BATCH = 25
# Seconds of an effect's run, which has 40; the next run goes on.
RUN = 20.0
# Seconds between two batches, at least.
BREATH = 0.02


def responded(reclamation: Reclamation, tx: Tx) -> bool:
    """Notes that somebody answered the client, by qualifying or in a public comment; whether it was the first time."""
    clocks = reclamation.clocks_now
    if clocks.respond.met_at or reclamation.status in OVER:
        return False
    reclamation.clocks = clocks.model_copy(update={"respond": clocks.respond.met(tx.happened_at)})
    return True


@settles(Reclamation)
async def follow_changes(reclamation: Reclamation, tx: Tx) -> None:
    """Sets the clocks after whatever was done to the réclamation in this transaction."""
    if not reclamation.clocks_now.are_of(_facts(reclamation)):
        await _set(reclamation, tx, tx.happened_at)


async def _set(reclamation: Reclamation, tx: Tx, now: datetime, silent: bool = False) -> bool:
    """Sets the clocks by the policy in force; whether that changed them."""
    before, targets = reclamation.clocks_now, await tx.policy(SlaTargets)
    facts = _facts(reclamation)._replace(consumer_zone=await _consumer_zone(reclamation, tx, targets))
    clocks = before.following(facts, targets, now, silent)
    if clocks != before:
        reclamation.clocks = clocks
    _remind(reclamation, tx)
    return clocks != before


def _remind(reclamation: Reclamation, tx: Tx) -> None:
    if at := reclamation.clocks_now.next:
        tx.remind(check_clocks, reclamation.id, at)
    else:
        tx.forget(check_clocks, reclamation.id)


def _facts(reclamation: Reclamation) -> Facts:
    return Facts(
        reclamation.status,
        reclamation.priority,
        reclamation.coverage,
        reclamation.product_id,
        reclamation.created_at,
        None,
    )


async def _consumer_zone(reclamation: Reclamation, tx: Tx, targets: SlaTargets) -> str | None:
    """The zone of the legal days: that of the unit's place. None where its buyer is no consumer."""
    if reclamation.product_id is None or reclamation.coverage not in COVERED:
        return targets.zone
    product = await tx.copies(ProductView).one(reclamation.product_id)
    if product is None:
        return targets.zone
    return zone_of(product.place.country, product.place.postcode) if product.consumer else None


@claims.timer
async def check_clocks(id: UUID, tx: Tx) -> str | None:
    """Warns of what is nearly due, and tells what is overdue: each once, and not what was met or paused meanwhile."""
    reclamation = await tx.load(Reclamation, id, SYSTEM)
    await _set(reclamation, tx, tx.now)
    told: dict[str, object] = {}
    for name, clock in reclamation.clocks_now.running():
        if clock.due is None or clock.breached:
            continue
        if clock.due <= tx.now:
            told[name] = clock.model_copy(update={"warned": True, "breached": True})
            tx.emit(reclamation, SlaBreached(clock=name, due=clock.due))
        elif clock.warn_at and clock.warn_at <= tx.now and not clock.warned:
            told[name] = clock.model_copy(update={"warned": True})
            tx.emit(reclamation, SlaWarning(clock=name, due=clock.due))
    if not told:
        return await _nothing_told(reclamation, tx)
    reclamation.clocks = reclamation.clocks_now.model_copy(update=told)
    _remind(reclamation, tx)
    return None


async def _nothing_told(reclamation: Reclamation, tx: Tx) -> str:
    if tx.session.is_modified(reclamation):
        tx.emit(reclamation, ReclamationChanged())
    return "met, paused or set anew meanwhile"


@claims.on(PolicyChanged, since="2026-11-29")
@claims.on(PolicySet, since="2026-11-29")
async def set_clocks_anew(event: PolicyChanged | PolicySet, tx: Tx) -> str | None:
    """Other targets or other working hours: the clocks of everything open follow, in the background."""
    if event.state.name != SlaTargets.name:
        return "another policy"
    await tx.copies(PolicyView).as_new_as(event.state)
    tx.later(follow_policy, event.state.id)
    return None


@claims.effect
async def follow_policy(policy_id: UUID, run: EffectRun) -> None:
    """Sets the clocks of everything open by the newest policy, some at a time; a later run goes on where one ended.

    Flags follow without a message: nobody was late by targets that did not hold yet.
    """
    began = monotonic()
    while monotonic() - began < RUN:
        started = monotonic()
        async with run() as tx:
            if not await _next_batch(policy_id, tx):
                return
        # As long again for everybody else.
        await sleep(max(BREATH, monotonic() - started))
    async with run() as tx:
        tx.later(follow_policy, policy_id)


async def _next_batch(policy_id: UUID, tx: Tx) -> bool:
    """Sets the clocks of some that were set by an older policy; false where there are none."""
    policy = await tx.copies(PolicyView).one(policy_id)
    version = policy.version if policy else 0
    is_behind = Reclamation.status.not_in(OVER) & (Reclamation.clocks_policy < version)
    behind = await tx.session.scalars(
        select(Reclamation)
        .where(is_behind)
        .order_by(Reclamation.clocks_policy, Reclamation.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    found = sorted(behind, key=lambda one: one.id)
    for reclamation in found:
        if await _set(reclamation, tx, tx.now, silent=True):
            reclamation.clocks_policy = version
            tx.emit(reclamation, ReclamationChanged())
    same = [one.id for one in found if one.clocks_policy < version]
    # Not through the records: they changed nothing that anybody is told.
    await tx.session.execute(
        update(Reclamation).where(Reclamation.id.in_(same)).values(clocks_policy=version),
        execution_options={"synchronize_session": False},
    )
    # A command may hold those that are left.
    return bool(found) or bool(await tx.session.scalar(select(exists().where(is_behind))))
