"""When the moves of a visit happened: in order, not in the future, and nobody sets out days early without a reason."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sav_chassis.errors import Conflict, WrongField
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import CutOffs
from sav_contracts.time_zone import CENTRAL, zone_of
from sav_interventions.model import Intervention

# How far a telephone's clock may be from ours.
SKEW = timedelta(minutes=5)
# How long after they set out a visit may still be entered: an urgent one is agreed on by telephone first.
ENTERED_AFTER = timedelta(days=1)

# How many moves a visit keeps before it can no longer be paused. They are part of its view, which has bounds.
MOST_MOVES = 40


class TooManyMoves(Conflict):
    """A visit was paused so often that its record would grow too large."""

    code = "too_many_moves"
    most: int = MOST_MOVES
    en = "The visit was moved {most} times: go on with the work, and end it"
    fr = "L’intervention a changé d’état {most} fois : poursuivez le travail et terminez-la"


class NotYetHappened(WrongField):
    field: str = "at"
    en = "that time is still to come"
    fr = "ce moment n’est pas encore arrivé"


class BeforeThePlan(WrongField):
    field: str = "at"
    en = "long before the visit was planned"
    fr = "bien avant que l’intervention ne soit planifiée"


class BeforeTheLastMove(WrongField):
    field: str = "at"
    en = "before your last move"
    fr = "avant votre dernier changement d’état"


class WhySoEarly(WrongField):
    field: str = "reason"
    day: date
    en = "the visit is on {day}: say why you set out before that"
    fr = "l’intervention est prévue le {day} : indiquez pourquoi vous partez avant"


def when_moved(visit: Intervention, at: datetime | None, by: Actor, now: datetime) -> datetime:
    """When the move that was just made happened; now, unless the caller says otherwise.

    `WrongField` where it was before their own last move. Somebody else may have moved the visit while this telephone was
    offline, or its clock is a little slow: then it counts from the last move on, so that times never go back.
    """
    if visit.status == "paused" and len(visit.acts) >= MOST_MOVES:
        raise TooManyMoves
    last = visit.acts[-1] if visit.acts else None
    if at is None:
        return max(now, last.at) if last else now
    if at > now + SKEW:
        raise NotYetHappened
    if at < visit.created_at - ENTERED_AFTER:
        raise BeforeThePlan
    if last and at < last.at - SKEW and all(act.by_id == by.id for act in visit.acts if act.at == last.at):
        raise BeforeTheLastMove
    at = min(at, now)
    return max(at, last.at) if last else at


def when_signed(visit: Intervention, at: datetime, now: datetime) -> datetime:
    """When the client signed, or refused to, as the technician's telephone says; now, where that was before the work began."""
    begun = [act.at for act in visit.acts or () if act.to == "in_progress"]
    if at < (begun[0] - SKEW if begun else visit.created_at - ENTERED_AFTER):
        return now
    return min(max(at, begun[0]) if begun else at, now)


def check_not_early(visit: Intervention, at: datetime, cut_offs: CutOffs) -> None:
    """Raises `WhySoEarly` where the day of the visit, in the zone of its place, is further ahead than people set out."""
    if visit.slot is None:
        return
    zone = ZoneInfo(zone_of(visit.place.country, visit.place.postcode) if visit.place else CENTRAL)
    day = visit.slot.start.astimezone(zone).date()
    if at < datetime.combine(day, time(), zone) - cut_offs.sets_out:
        raise WhySoEarly(day=day)
