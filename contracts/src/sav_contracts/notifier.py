"""Notifications: what people are sent, by which channel, and with which outcome."""

from datetime import datetime
from typing import ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from sav_contracts.auth.fields import Locale
from sav_contracts.messages import Changed, Command, Event, Personal, PersonId, View
from sav_contracts.visibility import Limited, Own, Visible

Category = Literal["account", "reclamation", "assignment", "appointment", "billing", "feedback", "alert"]
Channel = Literal["email", "sms", "push"]
NotificationStatus = Literal[
    "planned", "suppressed", "queued", "sent", "kept_locally", "delivered", "read", "failed", "dead"
]

# A manager sees that notifications were sent, but not those about other people's accounts.
ABOUT_NO_ACCOUNT = Limited("category", tuple(one for one in get_args(Category) if one != "account"))


class NotificationView(View):
    """A message to one person by one channel. It is `sent` only after a server accepted it.

    Messages about an account (sign-ins, passwords, addresses) are visible to its person and admins only.
    """

    visible: ClassVar[Visible] = Visible(
        client=Own("user_id"), technician=Own("user_id"), manager=ABOUT_NO_ACCOUNT | Own("user_id")
    )

    user_id: PersonId
    category: Category = Field(examples=["reclamation"])
    channel: Channel
    template: str = Field(examples=["reclamation_created"])
    locale: Locale
    # The event that the message is about, and that event's record.
    event_id: UUID
    about_kind: str = Field(examples=["reclamation"])
    about_id: UUID
    subject: Personal[str] = Field(examples=["Votre réclamation REC-2026-000001"])
    status: NotificationStatus
    # Why it was not sent, or not yet.
    reason: str | None = Field(examples=["connection refused"])
    attempts: int
    sent_at: datetime | None
    read_at: datetime | None = Field(examples=["2026-03-02T12:00:00Z"])

    def is_open(self) -> bool:
        return self.status in {"planned", "queued", "failed"}


class MarkRead(Command[NotificationView]):
    """Mark a message as read. Repeating it changes nothing."""

    notification_id: UUID


NotificationChanged = Changed[NotificationView]


class NotificationSent(Event[NotificationView]):
    """A server accepted a message. In older logs, `state.status` may say that it was only kept in the local mailbox."""

    makes_timeline_line: ClassVar[bool] = False


class NotificationKeptLocally(Event[NotificationView]):
    """A message was kept in the local mailbox, since no mail server is configured: nothing was sent to anyone."""

    makes_timeline_line: ClassVar[bool] = False


class NotificationFailed(Event[NotificationView]):
    """A message could not be sent; it is tried again unless its status is `dead`."""

    makes_timeline_line: ClassVar[bool] = False
