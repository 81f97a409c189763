"""Withdrawing from an accepted estimate: online somebody says so, then confirms it (Code de la consommation, L221-21)."""

from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import Select, select

from sav_chassis.identity import Links
from sav_chassis.law.withdrawal import paid_back_by
from sav_chassis.shared_refusals import LinkExpired
from sav_chassis.tx import Tx
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.interventions.estimate import (
    BeginWithdrawal,
    ConfirmWithdrawal,
    EstimateChanged,
    EstimateShown,
    EstimateWithdrawn,
    GetWithdrawalByLink,
    RecordWithdrawal,
    WithdrawByLink,
)
from sav_interventions.agreement import is_to_cancel, lock_visits, work_of
from sav_interventions.app import interventions
from sav_interventions.commands.estimate import alone, moment_of, shown, theirs
from sav_interventions.lifecycle import DONE, ESTIMATE, UNDER_WAY
from sav_interventions.model import Estimate, Intervention
from sav_interventions.model.estimate import SayItFirst
from sav_interventions.settings import billing

WITHDRAW = "withdraw"


@interventions.command(BeginWithdrawal)
async def begin_withdrawal(cmd: BeginWithdrawal, tx: Tx, by: Actor) -> Estimate:
    """Say that one withdraws; nothing is cancelled yet."""
    estimate = await theirs(cmd.estimate_id, tx, by)
    await _begin(estimate, tx, by)
    return estimate


@interventions.command(ConfirmWithdrawal)
async def confirm_withdrawal(cmd: ConfirmWithdrawal, tx: Tx, by: Actor) -> Estimate:
    """Confirm it: the contract is over."""
    await lock_visits(cmd.estimate_id, tx)
    estimate = await theirs(cmd.estimate_id, tx, by)
    await _confirm(estimate, tx, by)
    return estimate


@interventions.command(RecordWithdrawal)
async def record_withdrawal(cmd: RecordWithdrawal, tx: Tx, by: Actor) -> Estimate:
    """Record what its client declared without us: both steps at once, by the day on which they sent it (L221-21)."""
    await lock_visits(cmd.estimate_id, tx)
    estimate = await alone(cmd.estimate_id, tx, by)
    ESTIMATE.check(estimate.status, "withdrawn", by)
    assert estimate.accepted, "it was accepted"
    at = moment_of(cmd.declared_on, estimate.accepted.at, estimate, tx.now, "declared_on")
    visits = await _check(estimate, tx, by, at)
    estimate.withdrawal_asked_at = estimate.withdrawal_asked_at or at
    _withdraw(estimate, visits, tx, by)
    return estimate


@interventions.query(GetWithdrawalByLink)
async def get_withdrawal_by_link(query: GetWithdrawalByLink, tx: Tx, by: Actor) -> EstimateShown:
    """The estimate that one withdraws from, in its state of now."""
    found = await tx.session.scalar(_linked(query.token, tx))
    if found is None:
        raise LinkExpired
    return shown(found)


@interventions.command(WithdrawByLink)
async def withdraw_by_link(cmd: WithdrawByLink, tx: Tx, by: Actor) -> EstimateShown:
    """Both steps without an account; a confirmation that is repeated is no error."""
    id = await tx.session.scalar(_linked(cmd.token, tx).with_only_columns(Estimate.id))
    if id is None:
        raise LinkExpired
    await lock_visits(id, tx)
    estimate = await alone(id, tx, SYSTEM)
    if estimate.status == "withdrawn" and cmd.confirm:
        return shown(estimate)
    await (_confirm if cmd.confirm else _begin)(estimate, tx, SYSTEM)
    return shown(estimate)


async def _begin(estimate: Estimate, tx: Tx, by: Actor) -> None:
    await _check(estimate, tx, by)
    estimate.withdrawal_asked_at = estimate.withdrawal_asked_at or tx.now
    tx.emit(estimate, EstimateChanged())


async def _confirm(estimate: Estimate, tx: Tx, by: Actor) -> None:
    visits = await _check(estimate, tx, by)
    if estimate.withdrawal_asked_at is None:
        raise SayItFirst
    _withdraw(estimate, visits, tx, by)


def _withdraw(estimate: Estimate, visits: list[Intervention], tx: Tx, by: Actor) -> None:
    estimate.move("withdrawn", by)
    estimate.withdrawn_at = tx.now
    begun = any(visit.status in UNDER_WAY | DONE for visit in visits)
    owed = begun and estimate.owes_what_is_done
    cancels = any(is_to_cancel(visit) for visit in visits)
    assert estimate.accepted, "it was accepted"
    last = paid_back_by(billing().jurisdiction, estimate.day(estimate.accepted.at), estimate.day(tx.now))
    tx.emit(
        estimate,
        EstimateWithdrawn(
            at=tx.now,
            owed="part_done" if owed else "nothing",
            begun=begun,
            cancels=cancels,
            pay_back_by=last,
        ),
    )


async def _check(estimate: Estimate, tx: Tx, by: Actor, at: datetime | None = None) -> list[Intervention]:
    """The visits that do the accepted work; raises where nobody may withdraw, now or when it was declared."""
    ESTIMATE.check(estimate.status, "withdrawn", by)
    visits = list(await tx.session.scalars(work_of(estimate)))
    estimate.check_may_withdraw(at or tx.now, any(visit.status == "completed" for visit in visits))
    return visits


def _linked(token: SecretStr, tx: Tx) -> Select[Estimate]:
    grant = Links(tx.settings.link_secret).grant(WITHDRAW, token.get_secret_value())
    return select(Estimate).where(Estimate.withdrawal_grant.in_([grant]))
