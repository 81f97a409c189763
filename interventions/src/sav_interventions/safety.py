"""Carbon monoxide: what was measured on a visit decides how it may end.

Arrêté du 15 septembre 2009, annexe 1: from 50 ppm in the room on, the appliance stays off until it works normally again;
from 10 ppm on, its user is told that flue and ventilation are to be looked into.
"""

from datetime import date, datetime

from sqlalchemy import select

from sav_chassis.errors import Conflict, NotYet
from sav_chassis.tx import Tx
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.servicing import AirQuality, air_quality
from sav_contracts.interventions.visit import CarbonMonoxideFound
from sav_contracts.interventions.work import Work
from sav_interventions.lifecycle import DONE
from sav_interventions.model import Intervention
from sav_interventions.stopped import LAST_SAID, of_the_same
from sav_interventions.tasks import check_answered, known_appliance


class AirIsDangerous(Conflict):
    """From 50 ppm of carbon monoxide on, a visit only ends as incomplete, stopped for safety."""

    code = "air_is_dangerous"
    ppm: int
    en = (
        "{ppm} ppm of carbon monoxide were measured: the appliance stays off, and the visit ends as incomplete, "
        "for the cause “stopped for safety” (stopped_for_safety)"
    )
    fr = (
        "{ppm} ppm de monoxyde de carbone ont été mesurés : l’appareil reste à l’arrêt, et l’intervention se termine "
        "comme inachevée, pour le motif « arrêt par sécurité » (stopped_for_safety)"
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


class DangerStands(Conflict):
    """A dangerous reading of a visit that is over stays: another measurement is one of a further visit."""

    code = "danger_stands"
    ppm: int
    en = "{ppm} ppm of carbon monoxide were measured before the visit ended: another reading is for a further visit"
    fr = (
        "{ppm} ppm de monoxyde de carbone ont été mesurées avant la fin de l’intervention : une autre mesure "
        "relève d’une nouvelle intervention"
    )


def tell_reading(visit: Intervention, before: Work | None, tx: Tx) -> None:
    """Announces a reading that is not normal, once for each value."""
    ppm = visit.work.co_ppm if visit.work else None
    if ppm is None or (before and before.co_ppm == ppm):
        return
    air = air_quality(ppm, tx.now.date())
    if air != "normal":
        tx.emit(visit, CarbonMonoxideFound(ppm=ppm, air=air))


def tell_older_danger(visit: Intervention, ppm: int | None, tx: Tx) -> bool:
    """Announces a danger that was measured again before it was told; whether it was one."""
    if ppm is None or not _is_danger(ppm, tx) or _danger_of(visit.work, tx):
        return False
    tx.emit(visit, CarbonMonoxideFound(ppm=ppm, air="dangerous"))
    return True


def air_of(work: Work | None, at: datetime | None) -> AirQuality | None:
    """What the carbon monoxide that was measured meant then; None where none was measured."""
    ppm = work.co_ppm if work else None
    return air_quality(ppm, at.date()) if ppm is not None and at else None


def with_danger(visit: Intervention, work: Work, at: datetime, on: date) -> Work:
    """The work whose reading was made `at`, with the dangerous one before it unless its own was made after that.

    Where something else was measured since, a danger that is told again is over.
    """
    ppm = visit.work.co_ppm if visit.work else None
    since = visit.measured_at
    if ppm is None or air_quality(ppm, on) != "dangerous":
        danger = work.co_ppm is not None and air_quality(work.co_ppm, on) == "dangerous"
        return work.model_copy(update={"co_ppm": None}) if danger and since and at < since else work
    if work.co_ppm is not None and (work.co_ppm >= ppm or since is None or at > since):
        return work
    return work.model_copy(update={"co_ppm": ppm, "co_not_measured": None})


def with_late_reading(visit: Intervention, ppm: int | None, at: datetime, on: date) -> Work | None:
    """The visit's work after a reading that is told late; None where it changes nothing, or was measured again since.

    As if it had come before the work that is there: a danger stands in that, and another reading lifts what stood in it.
    """
    if ppm is None or visit.work is None or (visit.measured_at and at <= visit.measured_at):
        return None
    if air_quality(ppm, on) == "dangerous":
        return visit.work.model_copy(update={"co_ppm": ppm, "co_not_measured": None})
    now = visit.work.co_ppm
    own = now is not None and air_quality(now, on) != "dangerous"
    return None if own else visit.work.model_copy(update={"co_ppm": None})


def note_measured(visit: Intervention, at: datetime) -> None:
    """Notes when carbon monoxide was measured: on a visit that is over, before its end at the latest."""
    if visit.status in DONE and visit.done_at:
        at = min(at, visit.done_at)
    visit.measured_at = max(at, visit.measured_at) if visit.measured_at else at


async def check_recorded_late(visit: Intervention, before: Work | None, tx: Tx) -> None:
    """Refuses work, recorded after the visit ended, that takes back a danger or does not allow that end.

    A danger that is told late is taken, since people must hear of it. Where the work was left undone, the appliance is
    stopped for safety from then on; what was completed stays so, and the next visit measures again.
    """
    if visit.status not in DONE:
        return
    was, is_now = _danger_of(before, tx), _danger_of(visit.work, tx)
    if was and not is_now:
        raise DangerStands(ppm=was)
    if visit.status == "completed":
        check_answered(visit)
        if not is_now:
            await _check_measured(visit, tx)
    elif is_now:
        visit.cause = "stopped_for_safety"


def _danger_of(work: Work | None, tx: Tx) -> int | None:
    ppm = work.co_ppm if work else None
    return ppm if ppm is not None and _is_danger(ppm, tx) else None


def _is_danger(ppm: int, tx: Tx) -> bool:
    return air_quality(ppm, tx.now.date()) == "dangerous"


async def check_ending(visit: Intervention, tx: Tx) -> None:
    """Refuses an end that what was measured and done on the visit does not allow."""
    if visit.status not in {"no_access"} | DONE:
        return
    if ppm := _danger_of(visit.work, tx):
        if visit.status != "incomplete" or visit.cause != "stopped_for_safety":
            raise AirIsDangerous(ppm=ppm)
    elif visit.status == "completed":
        check_answered(visit)
        await _check_measured(visit, tx)


async def _check_measured(visit: Intervention, tx: Tx) -> None:
    work = visit.work
    if work is None:
        return
    measured = work.co_ppm is not None
    if (stopped := await _stopped_at(visit, visit.measured_at if measured else None, tx)) is not None:
        raise MeasureAgain(ppm=stopped)
    if measured:
        return
    if visit.purpose == "maintenance" and work.co_not_measured != "sealed" and await _burns(visit, tx):
        raise ReadingMissing


async def _burns(visit: Intervention, tx: Tx) -> bool:
    """Whether its appliance burns something. `NotYet` while the article of its unit has not arrived."""
    appliance = visit.appliance or await known_appliance(tx, visit.product_id)
    if appliance is None and visit.product_id:
        product = await tx.view(ProductView, visit.product_id)
        raise NotYet("article", product.article_id)
    return appliance is not None and appliance.burns


async def _stopped_at(visit: Intervention, measured_at: datetime | None, tx: Tx) -> int | None:
    """The last reading on other visits, where it was dangerous, and not from before this visit's own one.

    One that is still under way counts too: it is about the same air.
    """
    found = select(Intervention.work, LAST_SAID).where(of_the_same(visit)).order_by(LAST_SAID.desc())
    for work, at in await tx.session.execute(found):
        if work and work.co_ppm is not None:
            lifted = measured_at is not None and at < measured_at
            return work.co_ppm if _is_danger(work.co_ppm, tx) and not lifted else None
    return None
