"""State tables: from → to, and who may."""

from collections.abc import Collection, Mapping
from typing import Generic, TypeVar

from sav_chassis.errors import IllegalMove, NotAllowed
from sav_contracts.actor import Actor, Role

S = TypeVar("S", bound=str)


class Lifecycle(Generic[S]):
    """The legal moves of one kind of record. `system` may do what an event demands and the table allows."""

    def __init__(self, kind: str, moves: Mapping[tuple[S, S], Collection[Role]]) -> None:
        self.kind = kind
        self.moves = moves

    def allows(self, now: S, to: S, by: Actor) -> bool:
        """Whether `check` would let it pass."""
        return by.role in self.moves.get((now, to), ())

    def legal(self, now: S, by: Actor) -> list[S]:
        """Where `by` may take a record that is `now`."""
        return [to for (start, to), who in self.moves.items() if start == now and by.role in who]

    def check(self, now: S, to: S, by: Actor) -> None:
        """Raises `IllegalMove` where the table has no such move, `NotAllowed` where it is not this role's."""
        who = self.moves.get((now, to), ())
        # What only SAV itself does is no move that a person might be allowed elsewhere.
        if by.role not in who and not set(who) - {Role.SYSTEM}:
            raise IllegalMove(self.kind, now, to, self.legal(now, by))
        if by.role not in who:
            raise NotAllowed(f"{self.kind}: {now} to {to} is not for a {by.role}")
