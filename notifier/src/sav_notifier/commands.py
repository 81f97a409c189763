"""The commands of recipients."""

from sav_chassis.errors import NotAllowed
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.notifier import MarkRead, NotificationChanged
from sav_notifier.app import notifier
from sav_notifier.model import Notification


class NotYours(NotAllowed):
    en = "Only the person it was written to marks a message as read"
    fr = "Seul le destinataire d’un message le marque comme lu"


@notifier.command(MarkRead)
async def mark_read(cmd: MarkRead, tx: Tx, by: Actor) -> Notification:
    """Mark one's own message as read; again changes nothing."""
    notification = await tx.load(Notification, cmd.notification_id, by)
    if notification.user_id != by.id:
        raise NotYours
    if notification.status != "read":
        notification.read(by, tx.now)
        tx.emit(notification, NotificationChanged())
    return notification
