"""Carbon monoxide: what was measured on a visit decides how it may end.

Arrêté du 15 septembre 2009, annexe 1: from 50 ppm in the room on, the appliance stays off until it works normally again;
from 10 ppm on, its user is told that flue and ventilation are to be looked into.
"""

from datetime import date

from sqlalchemy import or_, select

from sav_chassis.errors import Conflict, NotYet
from sav_chassis.tx import Tx
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.servicing import air_quality
from sav_contracts.interventions.visit import CarbonMonoxideFound
from sav_contracts.interventions.work import Work
from sav_interventions.lifecycle import DONE
from sav_interventions.model import Intervention
from sav_interventions.tasks import check_answered, known_appliance


class AirIsDangerous(Conflict):
    """From 50 ppm of carbon monoxide on, a visit only ends as incomplete, stopped for safety."""

    code = "air_is_dangerous"
    ppm: int
    en = (
        "{ppm} ppm of carbon monoxide were measured: the appliance stays off, and the visit ends as incomplete, "
        "for the cause stopped_for_safety"
    )
    fr = (
        "{ppm} ppm de monoxyde de carbone ont été mesurés : l’appareil reste à l’arrêt, et l’intervention se termine "
        "comme inachevée, pour le motif stopped_for_safety"
    )


class ReadingMissing(Conflict):
    """After the service of what burns something, carbon monoxide is measured, unless the appliance is sealed."""

    code = "reading_missing"
    en = "Measure the carbon monoxide in the room (co_ppm), or say that the appliance is sealed (co_not_measured)"
    fr = (
        "Mesurez le monoxyde de carbone dans la pièce (co_ppm), ou indiquez que l’appareil est étanche "
        "(co_not_measured)"
    )


class MeasureAgain(Conflict):
    """An appliance that was stopped for carbon monoxide is measured before it is in service again."""

    code = "measure_again"
    ppm: int
    en = "The appliance was stopped at {ppm} ppm of carbon monoxide: measure again (co_ppm) before you complete the visit"
    fr = (
        "L’appareil a été arrêté à {ppm} ppm de monoxyde de carbone : mesurez de nouveau (co_ppm) avant de terminer "
        "l’intervention"
    )


def tell_reading(visit: Intervention, before: Work | None, tx: Tx) -> None:
    """Announces a reading that is not normal, once for each value."""
    ppm = visit.work.co_ppm if visit.work else None
    if ppm is None or (before and before.co_ppm == ppm):
        return
    air = air_quality(ppm, tx.now.date())
    if air != "normal":
        tx.emit(visit, CarbonMonoxideFound(ppm=ppm, air=air))


def with_danger(before: Work | None, work: Work, on: date) -> Work:
    """The work, with the dangerous reading before it where nothing was measured since: only a measurement lifts that."""
    ppm = before.co_ppm if before else None
    if work.co_ppm is not None or ppm is None or air_quality(ppm, on) != "dangerous":
        return work
    return work.model_copy(update={"co_ppm": ppm, "co_not_measured": None})


async def check_ending(visit: Intervention, tx: Tx) -> None:
    """Refuses an end that what was measured and done on the visit does not allow."""
    if visit.status not in DONE:
        return
    ppm = visit.work.co_ppm if visit.work else None
    if ppm is not None and air_quality(ppm, tx.now.date()) == "dangerous":
        if visit.status == "completed" or visit.cause != "stopped_for_safety":
            raise AirIsDangerous(ppm=ppm)
    elif visit.status == "completed":
        check_answered(visit)
        await _check_measured(visit, tx)


async def _check_measured(visit: Intervention, tx: Tx) -> None:
    work = visit.work
    if work is None or work.co_ppm is not None:
        return
    if (stopped := await _stopped_at(visit, tx)) is not None:
        raise MeasureAgain(ppm=stopped)
    if visit.purpose == "maintenance" and work.co_not_measured != "sealed" and await _burns(visit, tx):
        raise ReadingMissing


async def _burns(visit: Intervention, tx: Tx) -> bool:
    """Whether its appliance burns something. `NotYet` while the article of its unit has not arrived."""
    appliance = visit.appliance or await known_appliance(tx, visit.product_id)
    if appliance is None and visit.product_id:
        product = await tx.view(ProductView, visit.product_id)
        raise NotYet("article", product.article_id)
    return appliance is not None and appliance.burns


async def _stopped_at(visit: Intervention, tx: Tx) -> int | None:
    """The last reading for this unit, in this réclamation, or on a visit that this one continues, where it was dangerous.

    Each of them: the unit may have been named later, and a visit may be for no réclamation.
    """
    before = select(Intervention.follows_id.label("id")).where(Intervention.id == visit.id)
    continued = before.cte("continued", recursive=True)
    further = select(Intervention.follows_id).where(Intervention.id == continued.c.id)
    same = or_(
        Intervention.product_id.in_([visit.product_id]),
        Intervention.reclamation_id.in_([visit.reclamation_id]),
        Intervention.id.in_(select(continued.union(further).c.id)),
    )
    found = select(Intervention).where(same, Intervention.id != visit.id, Intervention.status.in_(DONE))
    earlier = await tx.session.scalars(found.order_by(Intervention.done_at.desc()))
    for other in earlier:
        if other.work and other.work.co_ppm is not None:
            ppm = other.work.co_ppm
            return ppm if air_quality(ppm, tx.now.date()) == "dangerous" else None
    return None
