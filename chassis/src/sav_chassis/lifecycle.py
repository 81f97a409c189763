"""State tables: each move from one state to another, and the roles that may make it."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from sqlalchemy.orm import Mapped

from sav_chassis.errors import IllegalMove, MovedAlready, NotAllowed
from sav_contracts.actor import Actor, Role
from sav_contracts.labels import label, role_names
from sav_contracts.sentences import Text

S = TypeVar("S", bound=str)


class MoveNotAllowed(NotAllowed):
    kind: Text
    who: Text
    now: Text
    wanted: Text
    en = "{kind}: only {who} may take it from {now} to {wanted}"
    fr = "{kind} : seuls {who} peuvent le faire passer de l’état « {now} » à l’état « {wanted} »"


class Lifecycle(Generic[S]):
    """The legal moves of one kind of record. SAV itself (`system`) needs to be listed like any role.

    `unmade` are states that no route, timer or event leads to yet; docs/roles.md leaves their moves out. `note` stands
    there below the table.
    """

    def __init__(
        self,
        kind: str,
        moves: Mapping[tuple[S, S], Collection[Role]],
        unmade: Collection[S] = (),
        note: str | None = None,
    ) -> None:
        self.kind = kind
        self.note = note
        self.moves = moves
        self.unmade = frozenset(unmade)

    @property
    def made(self) -> dict[tuple[S, S], Collection[Role]]:
        """The moves that something makes."""
        return {move: who for move, who in self.moves.items() if not self.unmade.intersection(move)}

    def allows(self, now: S, to: S, by: Actor) -> bool:
        """Whether `check` would accept the move."""
        return by.role in self.moves.get((now, to), ())

    def legal(self, now: S, by: Actor) -> list[S]:
        """The states to which `by` may take a record that is `now`."""
        return [to for (start, to), who in self.moves.items() if start == now and by.role in who]

    def check(self, now: S, to: S, by: Actor) -> None:
        """Raises `IllegalMove` where the table has no such move, `NotAllowed` where this role may not make it."""
        who = self.moves.get((now, to), ())
        # A move that only SAV itself makes does not exist for people, so it is refused as illegal.
        if by.role not in who and not set(who) - {Role.SYSTEM}:
            refusal = MovedAlready if now == to else IllegalMove
            raise refusal(
                kind=label(self.kind), now=label(now), wanted=label(to), moves=[*self.legal(now, by)]
            )
        if by.role not in who:
            raise MoveNotAllowed(kind=label(self.kind), who=role_names(who), now=label(now), wanted=label(to))


class Stateful(Generic[S]):
    """A mixin for an aggregate whose `status` follows a state table."""

    lifecycle: ClassVar[Lifecycle[Any]]

    if TYPE_CHECKING:  # the aggregate declares the column
        status: Mapped[S]

    def move(self, to: S, by: Actor) -> None:
        """Changes the state; `IllegalMove` or `NotAllowed` where the table does not allow it."""
        self.lifecycle.check(self.status, to, by)
        self.status = to
