"""A toy service with boxes and lids: what the chassis is tried on. Its messages are owned by `toy`, this module."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import Identity
from sqlalchemy.orm import Mapped, mapped_column

from sav_chassis.model import Aggregate, Base
from sav_chassis.service import Service
from sav_chassis.tx import Tx
from sav_contracts import message_types
from sav_contracts.actor import Actor
from sav_contracts.messages import Command, Event, Line, Message, PersonId, Query, Secret, View
from sav_contracts.surface import ANYBODY, CLIENT_AND_MANAGERS, EVERYBODY, MessageRow
from sav_contracts.visibility import ALL, Own, Visible

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class BoxForClient(View):
    visible: ClassVar[Visible] = Visible(client=Own("client_id"), technician=Own("technician_id"))

    client_id: PersonId
    technician_id: PersonId | None
    name: str
    filled: int


class BoxView(BoxForClient):
    margin: int

    def for_client(self) -> BoxForClient:
        return self.narrowed_to(BoxForClient)


class LidView(View):
    """A record of another service, of which the toys keep a copy."""

    visible: ClassVar[Visible] = Visible(client=ALL, technician=ALL)

    colour: str


class BadgeView(View):
    visible: ClassVar[Visible] = Visible(client=Own("id"), technician=Own("user_id"))

    user_id: PersonId


class Make(Command[BoxView]):
    name: Line
    client_id: PersonId
    lid_id: UUID | None = None


class Fill(Command[BoxView]):
    box_id: UUID
    amount: int = Field(default=1, ge=1)
    helper_id: PersonId | None = None


class Whisper(Command[BoxView]):
    secret: ClassVar[bool] = True

    box_id: UUID
    word: Secret


class Total(Message):
    filled: int


class FindTotal(Query[Total]):
    pass


class BoxMade(Event[BoxView]):
    pass


class BoxFilled(Event[BoxView]):
    amount: int = 1
    helper_id: PersonId | None = None
    note: str = ""


class LidMade(Event[LidView]):
    pass


class Box(Aggregate[BoxView]):
    __tablename__ = "box"

    client_id: Mapped[UUID]
    technician_id: Mapped[UUID | None]
    name: Mapped[str] = mapped_column(unique=True)
    filled: Mapped[int] = mapped_column(default=0)
    margin: ClassVar[int] = 7


class Badge(Aggregate[BadgeView]):
    """Follows an account: its id is a person's."""

    __tablename__ = "badge"
    follows_event: ClassVar[bool] = True

    user_id: Mapped[UUID]


class Seen(Base):
    """What a reaction saw, in the order in which it committed."""

    __tablename__ = "seen"

    position: Mapped[int] = mapped_column(Identity(), primary_key=True)
    id: Mapped[UUID]
    subject: Mapped[UUID]
    version: Mapped[int]
    by: Mapped[str]


SURFACE = (
    MessageRow("Make", "POST /boxes", Make, CLIENT_AND_MANAGERS),
    MessageRow("Fill", "POST /boxes/{box_id}/fill", Fill, EVERYBODY),
    MessageRow("Whisper", "POST /boxes/{box_id}/whisper", Whisper, ANYBODY),
    MessageRow("Total", "POST /boxes/total", FindTotal, EVERYBODY),
)


def bare() -> Service:
    """The toy service before it handles anything."""
    return Service("toy", surface=SURFACE)


def usual() -> Service:
    """The toy service as it should be: boxes are made and filled."""
    toys = bare()
    toys.command(Make)(make)
    toys.command(Fill)(fill)
    return toys


async def make(cmd: Make, tx: Tx, by: Actor) -> Box:
    box = tx.add(Box(id=tx.new_id(), client_id=cmd.client_id, name=cmd.name, filled=0))
    tx.emit(box, BoxMade())
    return box


async def fill(cmd: Fill, tx: Tx, by: Actor) -> Box:
    box = await tx.load(Box, cmd.box_id, by)
    box.filled += cmd.amount
    tx.emit(box, BoxFilled(amount=cmd.amount, helper_id=cmd.helper_id))
    return box


async def note(event: BoxFilled, tx: Tx) -> None:
    """The usual reaction: it remembers what it saw."""
    tx.add(Seen(id=tx.new_id(), subject=event.state.id, version=event.state.version, by="note"))


def box(number: int, client: Actor, technician: Actor | None = None) -> Box:
    """An empty box that is there already."""
    return Box(
        id=UUID(int=number),
        client_id=client.id,
        technician_id=technician.id if technician else None,
        name=f"box {number}",
        filled=0,
    )


def filled(number: int, version: int, **fields: Any) -> BoxFilled:
    """News of the version-th event of a box."""
    view = BoxView(
        id=UUID(int=number),
        version=version,
        created_at=NOW,
        updated_at=NOW,
        client_id=UUID(int=1),
        technician_id=None,
        name=f"box {number}",
        filled=version,
        margin=7,
    )
    return BoxFilled(state=view, **fields)


def lid(number: int, version: int = 1, colour: str = "red") -> LidView:
    return LidView(id=UUID(int=number), version=version, created_at=NOW, updated_at=NOW, colour=colour)


@contextmanager
def catalogued() -> Iterator[None]:
    """The toys' events are known for as long as this lasts."""
    events: tuple[type[Event], ...] = (BoxMade, BoxFilled, LidMade)
    message_types.EVENTS.update({event.type_name(): event for event in events})
    message_types.VIEWS.update({event.state_type().kind(): event.state_type() for event in events})
    try:
        yield
    finally:
        for event in events:
            message_types.EVENTS.pop(event.type_name(), None)
            message_types.VIEWS.pop(event.state_type().kind(), None)
