"""Which free times are better: those that suit the client, then those that lie on the technician's way."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import NamedTuple, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from sav_calendar.hours import midnight
from sav_calendar.lifecycle import TAKES_TIME
from sav_calendar.model.appointment import Appointment
from sav_chassis.tx import Tx
from sav_contracts.address import Address
from sav_contracts.calendar.slots import FreeSlot
from sav_contracts.claims.intake import PartOfDay, PreferredDay, PreferredTime
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView
from sav_contracts.messages import View
from sav_contracts.time_zone import CENTRAL, zone_of

WEEKDAYS = get_args(PreferredDay)
DAY = timedelta(days=1)
# The hour from which on the afternoon and the evening count.
AFTERNOON, EVENING = 12, 18
# How far apart two places are: at the same postcode, in the same department, farther. What is not known, and where a
# technician begins and ends the day, is as far as another place of the department.
SAME, NEAR, FAR = 0, 1, 2


class Spot(NamedTuple):
    """Where a place is, as far as distances are told here."""

    country: str
    postcode: str

    @classmethod
    def of(cls, place: Address) -> "Spot":
        return cls(place.country, place.postcode)

    @property
    def department(self) -> tuple[str, str]:
        """In France a department or a territory; elsewhere what its postcode begins with."""
        overseas = self.country == "FR" and self.postcode.startswith(("97", "98"))
        return self.country, self.postcode[: 3 if overseas else 2]


# When a visit begins, and where it is.
Stop = tuple[datetime, Spot | None]


def distance(one: Spot | None, other: Spot | None) -> int:
    """How far apart two places are, in steps; `None` is a place that is not known, or where the day begins and ends."""
    if one is None or other is None:
        return NEAR
    if one == other:
        return SAME
    return NEAR if one.department == other.department else FAR


def detour(place: Spot, start: datetime, day: Sequence[Stop]) -> int:
    """How much longer a visit that begins then makes the way of a day: from the stop before it, and on to the next one."""
    at = bisect_left(day, start, key=lambda stop: stop[0])
    before = day[at - 1][1] if at else None
    after = day[at][1] if at < len(day) else None
    # A day without visits is a way of its own, there and back.
    spared = distance(before, after) if day else 0
    return distance(before, place) + distance(place, after) - spared


def suits(start: datetime, preferred: Iterable[PreferredTime], zone: ZoneInfo) -> bool:
    """Whether a visit that begins then is at one of the times that its client named, by the clock at the place."""
    local = start.astimezone(zone)
    return any(
        (one.on == local.date() if one.on else one.weekday == WEEKDAYS[local.weekday()])
        and one.part in (None, _part(local.hour))
        for one in preferred
    )


def _part(hour: int) -> PartOfDay:
    return "morning" if hour < AFTERNOON else "afternoon" if hour < EVENING else "evening"


async def ranked(
    tx: Tx, slots: Collection[FreeSlot], what: ReclamationView | InterventionView | None, most: int
) -> list[FreeSlot]:
    """The best of these slots, which come in order of time: the best first, with its rank and whether it suits the client."""
    place = what.place if what else None
    zone = ZoneInfo(zone_of(place.country, place.postcode) if place else CENTRAL)
    preferred = what.preferred_times if isinstance(what, ReclamationView) else ()
    days = await _days(tx, slots, zone) if place else {}
    spot = Spot.of(place) if place else None

    def worth(slot: FreeSlot) -> tuple[bool, int]:
        day = days.get((slot.technician_id, slot.start.astimezone(zone).date()), [])
        longer = detour(spot, slot.start, day) if spot else 0
        return not suits(slot.start, preferred, zone), longer

    # Of two that are worth the same, the earlier one stays first.
    best = sorted(((worth(slot), slot) for slot in slots), key=itemgetter(0))[:most]
    return [
        slot.model_copy(update={"preferred": not unsuited, "rank": rank})
        for rank, ((unsuited, _), slot) in enumerate(best, 1)
    ]


async def _days(tx: Tx, slots: Collection[FreeSlot], zone: ZoneInfo) -> dict[tuple[UUID, date], list[Stop]]:
    """The visits of the technicians on the days of these slots, in order."""
    if not slots:
        return {}
    on = [slot.start.astimezone(zone).date() for slot in slots]
    visits = (
        await tx.session.execute(
            select(
                Appointment.technician_id,
                Appointment.start,
                Appointment.reclamation_id,
                Appointment.intervention_id,
            )
            .where(
                Appointment.technician_id.in_({slot.technician_id for slot in slots}),
                Appointment.status.in_(TAKES_TIME),
                Appointment.start >= midnight(min(on), zone.key),
                Appointment.start < midnight(max(on) + DAY, zone.key),
            )
            .order_by(Appointment.start)
        )
    ).all()
    places = await _places(tx, ReclamationView, [case for _, _, case, _ in visits if case])
    places |= await _places(
        tx, InterventionView, [visit for _, _, case, visit in visits if visit and not case]
    )
    days = defaultdict(list)
    for technician_id, start, case, visit in visits:
        days[technician_id, start.astimezone(zone).date()].append((start, places.get(case or visit)))
    return days


async def _places(tx: Tx, kind: type[View], ids: list[UUID]) -> dict[UUID | None, Spot]:
    """Where these réclamations or visits are, as far as it is known."""
    found = await tx.copies(kind).where(id=ids).field("place") if ids else {}
    return {id: Spot(place["country"], place["postcode"]) for id, place in found.items() if place}
