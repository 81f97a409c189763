"""Messages to people. Everything that is done with one follows from its declaration."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from sav_chassis.tx import Tx
from sav_contracts.messages import Event
from sav_contracts.notifier import Category
from sav_notifier.model import Notification
from sav_notifier.recipients import Recipient
from sav_notifier.user_text import cleaned

T = TypeVar("T")
M = TypeVar("M", bound="type[Message]")
Recipients = Callable[[Any, Tx], Awaitable[Iterable[Recipient]]]
# What a link is for; the page that it leads to has the same name.
Purpose = Literal[
    "invitation",
    "verify-email",
    "change-email",
    "password-reset",
    "estimate",
    "withdraw",
    "withdraw-order",
    "feedback",
    "paper",
    "visit",
    "times",
]

# Marks a fact that no text shows: only the code uses it.
INTERNAL = "internal"
Internal = Annotated[T, INTERNAL]

# Marks an Internet address that a server saw: nobody typed it.
SEEN = "seen"
Seen = Annotated[T, SEEN]


class Declared(NamedTuple):
    """The declaration of a message: `reactions` maps its events to the stored names of their reactions."""

    template: str
    reactions: Mapping[type[Event], str]
    since: str | None
    to: Recipients
    category: Category
    link: Purpose | None
    settles: timedelta
    takes_back: bool
    lasting: bool
    once: bool


class Message(BaseModel):
    """One message to people. Its fields are the facts of its text, which is in a file for each language.

    Fields are stored, so none may be a secret. A field that is added later needs a default, for rows that wait. A field
    `to` is the address that this message goes to instead of the recipient's; a field `entry` is a visit for the reader's
    calendar, which is attached, and `entry_before` the one whose place it takes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    declared: ClassVar[Declared]

    @classmethod
    @abstractmethod
    async def about(cls, event: Any, tx: Tx) -> Self | str:
        """The message about this event, or why there is none."""

    def of_category(self) -> Category:
        return self.declared.category

    def link_purpose(self) -> Purpose | None:
        """What its link is for, where it has one."""
        return self.declared.link

    def read_by(self, person: Recipient) -> Self:
        """The message as this person reads it."""
        return self

    def not_before(self) -> datetime | None:
        """The time before which it is not sent; until then it is `planned`."""
        return None

    def useful_until(self) -> datetime | None:
        """The time after which the message is of no use."""
        return None

    def true_while(self, record: Any) -> bool:
        """Whether the message holds in this state of the record that it is about.

        Asked of the state that came with the event when the message is made, and of the newest one when it is sent.
        """
        return True

    async def why_over(self, tx: Tx) -> str | None:
        """Why it need not be sent any more, where another record decides that."""
        return None

    async def as_of_now(self, tx: Tx) -> Self:
        """The message as it is sent, where some of its facts are known only then. Asked last."""
        return self

    def says(self, about: UUID) -> dict[str, str]:
        """The statements of the message, by topic; `about` is the id of the record that it is about.

        They are compared with the recipient's last ones for the same `reference`; if none changes, it is not sent.
        """
        return {}

    @classmethod
    def seen(cls) -> list[str]:
        """The facts that are addresses which a server saw."""
        return [name for name, field in cls.model_fields.items() if SEEN in field.metadata]

    @classmethod
    def is_compared(cls) -> bool:
        """Whether it is sent only where it is news to its recipient."""
        return cls.declared.takes_back or cls.says is not Message.says


MESSAGES: dict[str, type[Message]] = {}


def message(
    template: str,
    *,
    on: type[Event] | Mapping[type[Event], str],
    to: Recipients,
    category: Category,
    since: str | None = None,
    link: Purpose | None = None,
    settles: timedelta = timedelta(),
    takes_back: bool = False,
    lasting: bool | None = None,
    once: bool = False,
) -> Callable[[M], M]:
    """Declares a message: `template` is its name in records, and that of its text files.

    `on`: the event, or events with the stored names of their reactions (docs/adr/0029); messages with the same event
    and stored name are queued in one transaction. `since`: when the message was added, if such events existed before.
    `settles`: how long it waits for events that may overtake it. `takes_back`: it withdraws earlier statements about
    the same record. `lasting`: it is of use even when it is no news any more; this is the default for a message with
    `useful_until` or `true_while`. `once`: of several such events about a record in one transaction, one is told.
    """

    def declare(cls: M) -> M:
        if settles and category in {"account", "alert"}:
            raise TypeError(f"{template}: what is about security or safety never waits")
        if template in MESSAGES:
            raise TypeError(f"there are two messages {template}")
        holds = cls.useful_until is not Message.useful_until or cls.true_while is not Message.true_while
        cls.declared = Declared(
            template,
            on if isinstance(on, Mapping) else {on: template},
            since,
            to,
            category,
            link,
            settles,
            takes_back,
            holds if lasting is None else lasting,
            once,
        )
        MESSAGES[template] = cls
        return cls

    return declare


def message_of(notification: Notification) -> Message:
    """The message recorded in a notification; facts that its declaration does not have any more are left out."""
    return MESSAGES[notification.template].model_validate(cleaned(notification.facts), extra="ignore")
