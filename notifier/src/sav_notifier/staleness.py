"""Why a message need not be sent any more: its time is over, or newer news overtook it."""

from typing import Any, TypeVar

from sav_chassis.errors import NotYet
from sav_chassis.tx import Tx
from sav_contracts import message_types
from sav_contracts.messages import View
from sav_notifier.message import Message, message_of
from sav_notifier.model import Notification
from sav_notifier.relevance import why_no_news

V = TypeVar("V", bound=View)


async def why_stale(tx: Tx, notification: Notification) -> str | None:
    """Why a notification is stale; None while it may be sent."""
    message = message_of(notification)
    until = message.useful_until()
    if until and until <= tx.now:
        return "its time is over"
    record = await known(tx, message_types.VIEWS[notification.about_kind], notification.about_id)
    # The version that it was written from was judged then, and an older copy says nothing about it.
    newer = record and record.version > notification.about_version
    if record and newer and (over := why_untrue(message, record)):
        return over
    return await message.why_over(tx) or await why_no_news(tx, notification)


def why_untrue(message: Message, record: View) -> str | None:
    """Why a message does not hold in this state of its record; None while it does.

    An event carries what its record is at the end of the transaction, which may be later than what the event tells: all
    acts of a telephone that was offline come in one.
    """
    return None if message.true_while(record) else f"overtaken: the {record.kind()} has changed since"


async def known(tx: Tx, view: type[V], id: Any) -> V | None:
    """A copy of a record, where there is one."""
    try:
        return await tx.view(view, id)
    except NotYet:
        return None
