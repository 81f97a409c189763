"""People's accounts."""

from uuid import UUID

from sqlalchemy import Dialect, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from sav_auth.lifecycle import ACCOUNT
from sav_chassis.errors import NotAllowed, NotFound
from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor, Role
from sav_contracts.auth.account import AccountStatus, AccountView
from sav_contracts.auth.fields import Locale


class OrNone(TypeDecorator[str]):
    """A text that may be missing: empty here, NULL in the table, where others must differ."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value or None

    def process_result_value(self, value: str | None, dialect: Dialect) -> str:
        return value or ""


class Account(Aggregate):
    """A person who may sign in. The password hash never leaves this table."""

    __tablename__ = "account"

    # Empty for a client who has given none.
    email: Mapped[str] = mapped_column(OrNone, unique=True, nullable=True)
    name: Mapped[str]
    role: Mapped[Role]
    locale: Mapped[Locale]
    status: Mapped[AccountStatus]
    password_hash: Mapped[str | None]
    email_verified: Mapped[bool] = mapped_column(default=False)
    phone: Mapped[str | None]
    time_zone: Mapped[str] = mapped_column(default="Europe/Paris")

    @property
    def user_id(self) -> UUID:
        return self.id

    def accept(self, password_hash: str, by: Actor) -> None:
        """The invited person chose a password, by a link that was sent to their address."""
        self._move("active", by)
        self.password_hash = password_hash
        self.email_verified = True

    def deactivate(self, by: Actor) -> None:
        """Keeps the person out. A manager does so to clients only."""
        self._check_manager(by)
        self._move("deactivated", by)

    def activate(self, by: Actor) -> None:
        """Lets the person in again. A manager does so to clients only."""
        self._check_manager(by)
        if self.status == "invited":
            # That move is the person's own.
            raise NotAllowed("who was invited becomes active by choosing a password")
        self._move("active", by)

    def view(self) -> AccountView:
        return AccountView.model_validate(self, from_attributes=True)

    def _move(self, to: AccountStatus, by: Actor) -> None:
        ACCOUNT.check(self.status, to, by)
        self.status = to

    def _check_manager(self, by: Actor) -> None:
        if by.role is not Role.MANAGER or self.role is Role.CLIENT:
            return
        if self.role not in AccountView.limits["role"]:
            raise NotFound(f"there is no account {self.id}")
        raise NotAllowed("a manager does this to clients only")
