"""People's accounts."""

from uuid import UUID

from sqlalchemy import Dialect, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from sav_auth.lifecycle import ACCOUNT
from sav_chassis.errors import NotAllowed
from sav_chassis.lifecycle import Stateful
from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountStatus, AccountView
from sav_contracts.auth.fields import Locale


class OrNone(TypeDecorator[str]):
    """A text that may be missing: empty here, NULL in the table, so that the unique index ignores it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None

    def process_result_value(self, value: str | None, dialect: Dialect) -> str:
        return value or ""


class BecomesActiveThemselves(NotAllowed):
    en = "An invited person becomes active by choosing a password"
    fr = "Une personne invitée active son compte en choisissant un mot de passe"


class Account(Aggregate[AccountView], Stateful[AccountStatus]):
    """A person who may sign in. The password hash never leaves this table."""

    __tablename__ = "account"
    lifecycle = ACCOUNT

    # Empty for a client without an address.
    email: Mapped[str] = mapped_column(OrNone, unique=True, nullable=True)
    name: Mapped[str]
    role: Mapped[Role]
    locale: Mapped[Locale]
    status: Mapped[AccountStatus]
    password_hash: Mapped[str | None]
    email_verified: Mapped[bool] = mapped_column(default=False)
    phone: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default="Europe/Paris")
    # Of the fields that a client's profile has too (`agreement`).
    name_edition: Mapped[int] = mapped_column(default=0)
    locale_edition: Mapped[int] = mapped_column(default=0)

    @property
    def user_id(self) -> UUID:
        return self.id

    def accept(self, password_hash: str, by: Actor) -> None:
        """The invited person chose a password. The link was sent to their address, so this confirms the address too."""
        self.move("active", by)
        self.password_hash = password_hash
        self.email_verified = True

    def deactivate(self, by: Actor) -> None:
        """Keeps the person out."""
        self.move("deactivated", by)

    def activate(self, by: Actor) -> None:
        """Lets the person in again."""
        if self.status == "invited":
            # Only the invited person makes that move.
            raise BecomesActiveThemselves
        self.move("active", by)
