"""What people are told, by which way, and what became of it."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from sav_contracts.auth.fields import Locale
from sav_contracts.messages import Command, Event, Personal, PersonId, Scope, View

Category = Literal["account", "reclamation", "assignment", "appointment", "billing", "feedback", "alert"]
Channel = Literal["email", "sms", "push"]
NotificationStatus = Literal[
    "planned", "suppressed", "queued", "sent", "kept_locally", "delivered", "read", "failed", "dead"
]


class NotificationView(View):
    """A message to one person by one channel: `sent` only where a server took it."""

    scope: ClassVar[Scope] = Scope.PERSON

    user_id: PersonId
    category: Category
    channel: Channel
    template: str
    locale: Locale
    # The event that it tells of, and the record which that is about.
    event_id: UUID
    about_kind: str
    about_id: UUID
    subject: Personal[str]
    status: NotificationStatus
    # Why it was not sent, or not yet.
    reason: str | None
    attempts: int
    sent_at: datetime | None
    read_at: datetime | None

    def is_open(self) -> bool:
        return self.status in {"planned", "queued", "failed"}


class MarkRead(Command[NotificationView]):
    """Mark a message as read; again is the same."""

    notification_id: UUID


class NotificationChanged(Event):
    """A message is queued, suppressed or read."""

    tells: ClassVar[bool] = False

    state: NotificationView


class NotificationSent(Event):
    """A message left: a server took it, or it was kept in the local mailbox (`state.status` says which)."""

    tells: ClassVar[bool] = False

    state: NotificationView


class NotificationFailed(Event):
    """A message could not be sent; it is tried again unless its status is `dead`."""

    tells: ClassVar[bool] = False

    state: NotificationView
