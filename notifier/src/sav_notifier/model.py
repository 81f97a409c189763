"""Messages to people, as they are recorded."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate
from sav_chassis.tasks import DEAD_AFTER
from sav_contracts.actor import SYSTEM, Actor
from sav_contracts.auth.fields import Locale
from sav_contracts.notifier import Category, Channel, NotificationStatus, NotificationView
from sav_notifier.lifecycle import NOTIFICATION

# A little before the chassis gives up the effect, so that the record says so too: attempts are minutes apart.
GIVEN_UP_AFTER = DEAD_AFTER - timedelta(minutes=15)


class Notification(Aggregate[NotificationView], Stateful[NotificationStatus]):
    """One message to one person by one channel; its text is made from `facts` when it is sent."""

    __tablename__ = "notification"
    lifecycle = NOTIFICATION
    __table_args__ = (UniqueConstraint("event_id", "user_id", "channel"),)

    user_id: Mapped[UUID]
    category: Mapped[Category]
    channel: Mapped[Channel]
    template: Mapped[str]
    locale: Mapped[Locale]
    event_id: Mapped[UUID]
    about_kind: Mapped[str]
    about_id: Mapped[UUID]
    # The record's version when this was written: only a newer one can make the message stale.
    about_version: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    # The reference of the réclamation, if the message is compared with earlier statements about it.
    case_reference: Mapped[str | None]
    subject: Mapped[str]
    status: Mapped[NotificationStatus]
    reason: Mapped[str | None]
    # The number of attempts at the last change of status or reason.
    attempts: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    # When a message that is compared was last released to a server.
    tried_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]

    @property
    def waits(self) -> bool:
        return self.status in {"planned", "queued", "failed"}

    @property
    def tried(self) -> bool:
        """Whether its recipient may have read it, whatever its status says."""
        return self.tried_at is not None or self.attempts > 0

    def queue(self) -> None:
        self.move("queued", SYSTEM)

    def suppress(self, reason: str) -> None:
        """Records that it is not sent, and why."""
        self.move("suppressed", SYSTEM)
        self.reason = reason

    def leave(self, status: NotificationStatus, attempt: int, now: datetime) -> None:
        """Records that it was sent, or kept locally."""
        self.move(status, SYSTEM)
        self.attempts, self.sent_at = attempt, now
        self.reason = self.failing_since = None

    def fail(self, reason: str, attempt: int, now: datetime) -> bool:
        """Records a failed attempt, and gives up after a day. Returns whether the status or the reason changed."""
        if self.failing_since is not None and now - self.failing_since >= GIVEN_UP_AFTER:
            self.give_up(reason, attempt)
            return True
        if (self.status, self.reason) == ("failed", reason):
            return False
        self.move("failed", SYSTEM)
        self.failing_since = self.failing_since or now
        self.reason, self.attempts = reason, attempt
        return True

    def give_up(self, reason: str, attempt: int) -> None:
        """Records that it will never be sent."""
        self.move("dead", SYSTEM)
        self.reason, self.attempts = reason, attempt

    def read(self, by: Actor, now: datetime) -> None:
        self.move("read", by)
        self.read_at = now
