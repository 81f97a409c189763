"""Messages to people, as they are recorded."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate
from sav_chassis.tasks import DEAD_AFTER
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.auth.fields import Locale
from sav_contracts.notifier import Category, Channel, NotificationStatus, NotificationView
from sav_notifier.lifecycle import NOTIFICATION

# A little before the chassis gives the sending up, so that the record says so too: tries are minutes apart.
GIVEN_UP_AFTER = DEAD_AFTER - timedelta(minutes=15)


class Notification(Aggregate):
    """One message to one person by one channel; its text is made from `facts` when it is sent."""

    __tablename__ = "notification"
    __table_args__ = (UniqueConstraint("event_id", "user_id", "channel"),)

    user_id: Mapped[UUID]
    category: Mapped[Category]
    channel: Mapped[Channel]
    template: Mapped[str]
    locale: Mapped[Locale]
    event_id: Mapped[UUID]
    about_kind: Mapped[str]
    about_id: Mapped[UUID]
    # What that record was like when this was written: only newer news make the message stale.
    about_version: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    subject: Mapped[str]
    status: Mapped[NotificationStatus]
    reason: Mapped[str | None]
    # As of the last change of state or reason.
    attempts: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]

    @property
    def waits(self) -> bool:
        return self.status in {"queued", "failed"}

    def queue(self) -> None:
        self._move("queued")

    def suppress(self, reason: str) -> None:
        """It is not sent, and says why."""
        self._move("suppressed")
        self.reason = reason

    def leave(self, status: NotificationStatus, attempt: int, now: datetime) -> None:
        """It was sent, or kept locally."""
        self._move(status)
        self.attempts, self.sent_at = attempt, now
        self.reason = self.failing_since = None

    def fail(self, reason: str, attempt: int, now: datetime) -> bool:
        """It could not be sent and is tried again, or is given up after a day; whether that is any news."""
        if self.failing_since is not None and now - self.failing_since >= GIVEN_UP_AFTER:
            self.give_up(reason, attempt)
            return True
        if (self.status, self.reason) == ("failed", reason):
            return False
        self._move("failed")
        self.failing_since = self.failing_since or now
        self.reason, self.attempts = reason, attempt
        return True

    def give_up(self, reason: str, attempt: int) -> None:
        """It will never be sent."""
        self._move("dead")
        self.reason, self.attempts = reason, attempt

    def read(self, by: Actor, now: datetime) -> None:
        self._move("read", by)
        self.read_at = now

    def view(self) -> NotificationView:
        return NotificationView.model_validate(self, from_attributes=True)

    def _move(self, to: NotificationStatus, by: Actor = SYSTEM) -> None:
        NOTIFICATION.check(self.status, to, by)
        self.status = to
