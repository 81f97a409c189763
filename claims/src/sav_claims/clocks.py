"""The clocks of a réclamation: until when somebody responds to it and resolves it, and until when the law gives us.

Pure rules. The first two count working time and stand still while the client is awaited. The legal one counts days of
the calendar from the request and never stands still (Code de la consommation, L217-10).
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sav_claims.working_time import Span, working_time
from sav_contracts.auth.policy import SlaTargets
from sav_contracts.catalog.warranty import Coverage
from sav_contracts.claims.reclamation import (
    OVER,
    Priority,
    ReclamationStatus,
)
from sav_contracts.claims.sla import ClockName
from sav_contracts.messages import Message

LEGAL_DAYS = timedelta(days=30)
COVERED: tuple[Coverage, ...] = ("covered", "partly")


class Clock(Message):
    """One clock: when it is due, when that is warned of, what was told of it, and when it was met.

    `due` is empty while it stands still, and where there is no such clock.
    """

    due: datetime | None = None
    warn_at: datetime | None = None
    met_at: datetime | None = None
    warned: bool = False
    breached: bool = False

    def set_to(self, due: datetime | None, warn_at: datetime | None, now: datetime, silent: bool) -> "Clock":
        """The clock with another time. It is not told again what still holds, or, if `silent`, what holds by now."""
        return self.model_copy(
            update={
                "due": due,
                "warn_at": warn_at,
                "warned": warn_at is not None and warn_at <= now and (self.warned or silent),
                "breached": due is not None and due <= now and (self.breached or silent),
            }
        )

    def stands_still(self) -> "Clock":
        """The clock while the client is awaited. What was late before stays late."""
        return self if self.breached else self.model_copy(update={"due": None, "warn_at": None})

    def met(self, at: datetime) -> "Clock":
        """The clock once it is met; late, where that is after it was due."""
        late = self.breached or (self.due is not None and at > self.due)
        return self if self.met_at else self.model_copy(update={"met_at": at, "breached": late})

    @property
    def next(self) -> datetime | None:
        """When there is something to tell of it."""
        if not self.warned and not self.breached and self.warn_at:
            return self.warn_at
        return None if self.breached else self.due


class Pause(Message):
    """A time for which the client was awaited, or is."""

    since: datetime
    until: datetime | None = None


class Facts(NamedTuple):
    """What the clocks follow from, beside the policy."""

    status: ReclamationStatus
    priority: Priority
    coverage: Coverage
    product_id: UUID | None
    created_at: datetime
    # The zone in which legal days are counted; None where the buyer is no consumer.
    consumer_zone: str | None


class Clocks(Message):
    """All clocks of a réclamation, and what they were set by."""

    respond: Clock = Clock()
    resolve: Clock = Clock()
    legal: Clock = Clock()
    legal_due: date | None = None
    # Working time for which they stood still, in the pauses that are over.
    paused_minutes: int = 0
    pauses: tuple[Pause, ...] = ()
    # When the fault was reported, where another réclamation reported it earlier.
    requested_at: datetime | None = None
    # When the clock of its resolution began, where it was reopened.
    reopened_at: datetime | None = None
    ended_at: datetime | None = None
    # The state, priority, coverage and product that they were set by.
    status: ReclamationStatus | None = None
    priority: Priority | None = None
    coverage: Coverage | None = None
    product_id: UUID | None = None
    # The request that the legal clock was counted from, and the answer that was heeded.
    counted_from: datetime | None = None
    heeded: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status == "resolved" or self.status in OVER

    def running(self) -> Iterator[tuple[ClockName, Clock]]:
        """The clocks that are neither met nor over, by name; also those that stand still."""
        if self.ended:
            return
        if self.respond.met_at is None:
            yield "respond", self.respond
        yield "resolve", self.resolve
        if self.legal_due is not None:
            yield "legal", self.legal

    @property
    def overdue(self) -> bool:
        return any(clock.breached for _, clock in self.running())

    @property
    def due_at(self) -> datetime | None:
        """The moment at which the first of them is due, or was."""
        return min((clock.due for _, clock in self.running() if clock.due), default=None)

    @property
    def next(self) -> datetime | None:
        """The next moment at which there is something to tell."""
        return min((clock.next for _, clock in self.running() if clock.next), default=None)

    def paused_until(self, now: datetime) -> list[Span]:
        """The times for which they stood still, until now."""
        return [(pause.since, pause.until or now) for pause in self.pauses]

    def are_of(self, facts: Facts) -> bool:
        """Whether they were set by these facts."""
        return (self.status, self.priority, self.coverage, self.product_id) == facts[:4] and (
            (self.counted_from, self.heeded) == (self.requested_at or facts.created_at, self.respond.met_at)
        )

    def following(self, facts: Facts, targets: SlaTargets, now: datetime, silent: bool = False) -> "Clocks":
        """The clocks after a change of these facts or, `silent`, of the policy."""
        changed = self._moved(facts, now)
        return changed.model_copy(update=changed._set(facts, targets, now, silent))

    def _moved(self, facts: Facts, now: datetime) -> "Clocks":
        """What follows from the state alone: pauses, a fresh start, an end."""
        update: dict[str, object] = dict(
            zip(("status", "priority", "coverage", "product_id"), facts, strict=False)
        )
        awaited = bool(self.pauses) and self.pauses[-1].until is None
        if facts.status == "awaiting_client" and not awaited:
            update["pauses"] = (*self.pauses, Pause(since=now))
        elif facts.status != "awaiting_client" and awaited:
            update["pauses"] = (*self.pauses[:-1], Pause(since=self.pauses[-1].since, until=now))
        if facts.status == "reopened" and self.status != "reopened":
            update |= {"reopened_at": now, "resolve": Clock(), "pauses": ()}
        elif facts.status == "resolved":
            update["resolve"] = self.resolve.met(now)
        elif facts.status not in OVER:
            # Also what was resolved just as its technician arrived, and goes on.
            update["resolve"] = self.resolve.model_copy(update={"met_at": None})
        update["ended_at"] = (self.ended_at or now) if facts.status in OVER else None
        return self.model_copy(update=update)

    def _set(self, facts: Facts, targets: SlaTargets, now: datetime, silent: bool) -> dict[str, object]:
        requested = self.requested_at or facts.created_at
        heeded = {"counted_from": requested, "heeded": self.respond.met_at}
        update: dict[str, object] = heeded | self._legal(facts, requested, targets, now, silent)
        if self.ended:
            return update
        over = [(pause.since, pause.until) for pause in self.pauses if pause.until]
        paused = sum((working_time(targets).between(*pause) for pause in over), timedelta())
        update["paused_minutes"] = paused // timedelta(minutes=1)
        target = targets.target(facts.priority)
        if self.respond.met_at is None:
            update["respond"] = self._working(
                self.respond, facts.created_at, target.respond_minutes, targets, now, silent
            )
        update["resolve"] = self._working(
            self.resolve, self.reopened_at or facts.created_at, target.resolve_minutes, targets, now, silent
        )
        return update

    def _working(
        self, clock: Clock, start: datetime, minutes: int, targets: SlaTargets, now: datetime, silent: bool
    ) -> Clock:
        if self.status == "awaiting_client":
            return clock.stands_still()
        whole = timedelta(minutes=minutes)
        due, warn_at = (
            working_time(targets).after(start, part, self.paused_until(now))
            for part in (whole, whole * targets.warn_percent / 100)
        )
        return clock.set_to(due, warn_at, now, silent)

    def _legal(
        self, facts: Facts, requested: datetime, targets: SlaTargets, now: datetime, silent: bool
    ) -> dict[str, object]:
        if facts.coverage not in COVERED or facts.consumer_zone is None:
            return {"legal": Clock(), "legal_due": None}
        zone = ZoneInfo(facts.consumer_zone)
        last = legal_day(requested, zone)
        end = datetime.combine(last, time.max, zone)
        warn_at = datetime.combine(last - timedelta(days=targets.legal_warning_days), time(9), zone)
        return {"legal": self.legal.set_to(end, warn_at, now, silent), "legal_due": last}


def legal_day(requested: datetime, zone: ZoneInfo) -> date:
    """The last day on which a covered fault can be repaired before the consumer may have the price reduced."""
    return requested.astimezone(zone).date() + LEGAL_DAYS
