"""Policies: what admins decide while everything runs."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from sav_auth.app import auth
from sav_chassis.errors import FieldError, Invalid
from sav_chassis.model import Aggregate
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import POLICIES, ChangePolicy, PolicyChanged, PolicyName, PolicySet, PolicyView


class Policy(Aggregate):
    """A policy as it is in force; `value` is its model's, whole."""

    __tablename__ = "policy"

    name: Mapped[str]
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_by: Mapped[UUID | None]

    def view(self) -> PolicyView:
        return PolicyView.model_validate(self, from_attributes=True)


async def show(tx: Tx) -> None:
    """Tells everybody the policies that were never told, as they come."""
    await tx.alone("policies")
    for name, policy in POLICIES.items():
        if not await tx.exists(Policy, policy.id()):
            value = policy().model_dump(mode="json")
            tx.emit(PolicyChanged, tx.add(Policy(id=policy.id(), name=name, value=value)))


@auth.command(ChangePolicy)
async def change_policy(cmd: ChangePolicy, tx: Tx, by: Actor) -> Policy:
    """Set a policy; the same once more changes nothing."""
    value = _checked(cmd.name, cmd.value)
    policy = await tx.load(Policy, POLICIES[cmd.name].id(), by)
    changed = [field for field in value if value[field] != policy.value.get(field)]
    if changed:
        were = {field: policy.value.get(field) for field in changed}
        policy.value, policy.changed_by = value, by.id
        tx.emit(PolicySet, policy, were=were, now={field: value[field] for field in changed})
    return policy


def _checked(name: PolicyName, value: dict[str, Any]) -> dict[str, Any]:
    try:
        return POLICIES[name].model_validate(value).model_dump(mode="json")
    except ValidationError as error:
        wrong = Invalid.from_pydantic(error).problem.errors or []
        raise Invalid.fields(
            [FieldError(field=f"value.{one.field}", message=one.message) for one in wrong]
        ) from None
