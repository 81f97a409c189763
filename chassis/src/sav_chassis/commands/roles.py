"""Which role may make which request. The edge checks it, and the owner checks it again."""

from sav_chassis.errors import NotAllowed, NotSignedIn
from sav_contracts.actor import ANYONE, Actor, Role
from sav_contracts.labels import role_names
from sav_contracts.sentences import Text
from sav_contracts.surface import Row


class SecondFactorMissing(NotAllowed):
    """An admin has to set up a second factor before anything else."""

    code = "second_factor_missing"
    en = "Set up a second factor first: POST /me/totp"
    fr = "Activez d’abord un second facteur : POST /me/totp"


class SignInFirst(NotSignedIn):
    en = "Sign in first"
    fr = "Connectez-vous d’abord"


class OnlySav(NotAllowed):
    en = "Only SAV itself may do this"
    fr = "Seul SAV lui-même peut le faire"


class NotForRole(NotAllowed):
    who: Text
    en = "Only {who} may do this"
    fr = "Seuls {who} peuvent le faire"


def check_role(row: Row | None, actor: Actor) -> None:
    """Raises `NotSignedIn` or `NotAllowed` where the row is not for the caller. Without a row, only SAV itself may."""
    if row is None or actor.role not in row.roles:
        if actor.role is Role.ANYONE:
            raise SignInFirst
        if row is None:
            raise OnlySav
        raise NotForRole(who=role_names(row.roles))
    if actor.enrolling and not row.enrolling and ANYONE.role not in row.roles:
        raise SecondFactorMissing
