"""Messages to people."""

from sav_contracts.notifier import MarkRead, NotificationView
from sav_contracts.surface.rows import EVERYBODY, MessageRow, list_and_record

ROWS = (
    *list_and_record(
        "Messages (a manager: all but those about others' accounts)",
        "/notifications",
        NotificationView,
        EVERYBODY,
        filters=("status", "category", "channel", "user_id", "about_id"),
    ),
    MessageRow("Mark a message as read", "POST /notifications/{notification_id}/read", MarkRead, EVERYBODY),
)
