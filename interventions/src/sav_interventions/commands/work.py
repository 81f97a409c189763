"""Recording the work of a visit."""

from datetime import datetime
from typing import Any

from sav_chassis.errors import Conflict, WrongField
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.interventions.task import Task
from sav_contracts.interventions.visit import RecordWork, WorkRecorded
from sav_contracts.interventions.work import PartPriced, PartUsed, Work
from sav_contracts.money import Currency
from sav_interventions.app import interventions
from sav_interventions.billing import check_amount, check_words, lines_of
from sav_interventions.model import Intervention
from sav_interventions.reported import check_report_open, unsign_report
from sav_interventions.safety import (
    check_recorded_late,
    note_measured,
    tell_older_danger,
    tell_reading,
    with_danger,
    with_late_reading,
)
from sav_interventions.said import when_said
from sav_interventions.settings import billing
from sav_interventions.tasks import answered, list_tasks
from sav_interventions.who_comes import check_writes

# What is said of a visit before its work begins.
MEASURED = {"intervention_id", "solution", "readings", "co_ppm", "co_measured_at", "co_not_measured"}
ALONE = MEASURED - {"solution"}
UNPAID = Warranty(decision="not_covered", why="covers_ended")


class OtherCurrency(WrongField):
    name: str
    priced: str
    ours: str
    en = "{name} is priced in {priced}, not in {ours}"
    fr = "le prix de {name} est en {priced}, et non en {ours}"


class WorkNotBegun(Conflict):
    """On site, before the work begins, what was measured is recorded, and nothing that was done."""

    code = "work_not_begun"
    fields: str
    en = (
        "The work has not begun: record what was measured (co_ppm, co_not_measured, readings) without {fields}, "
        "or begin the work first"
    )
    fr = (
        "Les travaux n’ont pas commencé\N{NO-BREAK SPACE}: enregistrez les mesures (co_ppm, co_not_measured, readings) sans "
        "{fields}, ou commencez d’abord les travaux"
    )


@interventions.command(RecordWork)
async def record_work(cmd: RecordWork, tx: Tx, by: Actor, at: datetime | None = None) -> Intervention:
    """Record what was done, at today's prices and rates. `at` is when that was said, if not now."""
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    await check_writes(tx, intervention, by)
    _check_begun(intervention, cmd)
    await check_report_open(intervention, tx)
    said_at = when_said(at, intervention.work_at, tx.now)
    law = billing().law
    parts = [await _priced(tx, number, part, law.currency) for number, part in enumerate(cmd.parts)]
    work = Work(
        **cmd.model_dump(exclude={"intervention_id", "labour", "parts", "tasks", "co_measured_at"}),
        labour=list(cmd.labour),
        parts=parts,
        labour_rate=billing().labour_rate,
        travel_rate=billing().travel_rate,
        currency=law.currency,
    )
    # Checked as if no warranty paid: who pays may still change, and the reaction that bills it has nobody to refuse.
    check_amount(lines_of(work, UNPAID, "fr"), "parts")
    await list_tasks(intervention, tx)
    tasks = answered(intervention.tasks, cmd.tasks)
    if intervention.work and not _beyond(ALONE, cmd):
        work, tasks = _with_reading(intervention.work, cmd), intervention.tasks
    check_words([work, *tasks])
    measured_at = _measured_at(cmd, said_at)
    kept = with_danger(intervention, work, measured_at, tx.now.date())
    if cmd.co_ppm is not None:
        note_measured(intervention, measured_at)
    intervention.work_at = said_at
    return await _keep(intervention, kept, tasks, said_at, tx)


async def keep_reading(cmd: RecordWork, at: datetime, tx: Tx, by: Actor) -> Intervention | None:
    """Takes the reading of overtaken work where nothing was measured since; None where that changes and tells nothing."""
    intervention = await tx.load(Intervention, cmd.intervention_id, by)
    measured_at = _measured_at(cmd, at)
    work = with_late_reading(intervention, cmd.co_ppm, measured_at, tx.now.date())
    if work is None:
        return intervention if tell_older_danger(intervention, cmd.co_ppm, tx) else None
    note_measured(intervention, measured_at)
    return await _keep(intervention, work, intervention.tasks, tx.now, tx)


def _check_begun(visit: Intervention, cmd: RecordWork) -> None:
    """Refuses what was done where the work has not begun: whoever is on site may measure, and that is all."""
    if visit.status == "on_site" and (done := _beyond(MEASURED, cmd)):
        raise WorkNotBegun(fields=", ".join(done))


def _beyond(fields: set[str], cmd: RecordWork) -> list[str]:
    """What is said in other fields than these."""
    return [name for name in RecordWork.model_fields if name not in fields and getattr(cmd, name)]


def _with_reading(work: Work, cmd: RecordWork) -> Work:
    """What is recorded, with what was measured alone: whoever sends a reading at once takes nothing back by that."""
    measured: dict[str, Any] = {"readings": cmd.readings or work.readings}
    if cmd.co_ppm is not None or cmd.co_not_measured:
        measured |= {"co_ppm": cmd.co_ppm, "co_not_measured": cmd.co_not_measured}
    return work.model_copy(update=measured)


def _measured_at(cmd: RecordWork, said_at: datetime) -> datetime:
    """When its carbon monoxide was measured: before this was said, at the latest then."""
    return min(cmd.co_measured_at or said_at, said_at)


async def _keep(
    intervention: Intervention, work: Work, tasks: list[Task], since: datetime, tx: Tx
) -> Intervention:
    """Records it; a signature that was for other work is removed."""
    before, tasks_before = intervention.work, intervention.tasks
    intervention.record(work)
    intervention.tasks = tasks
    await check_recorded_late(intervention, before, tx)
    tx.emit(intervention, WorkRecorded())
    if before is None or (work.model_dump(), tasks) != (before.model_dump(), tasks_before):
        intervention.work_since = since
        await unsign_report(intervention, tx)
    tell_reading(intervention, before, tx)
    return intervention


async def _priced(tx: Tx, number: int, part: PartUsed, currency: Currency) -> PartPriced:
    article = await tx.view(ArticleView, part.article_id)
    if article.currency != currency:
        raise OtherCurrency(
            field=f"parts.{number}.article_id", name=article.name, priced=article.currency, ours=currency
        )
    return PartPriced(
        **part.model_dump(),
        reference=article.reference,
        name=article.name,
        unit_price=article.price,
        vat_class=article.vat_class,
    )
