"""Which role may make which request: asked at the edge, and again by the owner."""

from sav_chassis.errors import NotAllowed, NotSignedIn
from sav_contracts.actor import ANYONE, Actor, Role
from sav_contracts.surface import Row


class SecondFactorMissing(NotAllowed):
    """An admin has to set up a second factor before anything else."""

    code = "second_factor_missing"


def check_role(row: Row | None, actor: Actor) -> None:
    """Raises `NotSignedIn` or `NotAllowed` where the row is not for the caller; without a row it is for SAV alone."""
    if row is None or actor.role not in row.reach:
        if actor.role is Role.ANYONE:
            raise NotSignedIn("sign in first")
        raise NotAllowed(f"not for a {actor.role}")
    if actor.enrolling and not row.enrolling and ANYONE.role not in row.reach:
        raise SecondFactorMissing("set up a second factor first: POST /me/totp")
