"""Policies: what admins decide at run time."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from sav_auth.app import auth
from sav_chassis.errors import WrongFields
from sav_chassis.model import Aggregate
from sav_chassis.tx import Tx
from sav_contracts.actor import Actor
from sav_contracts.auth.policy import POLICIES, ChangePolicy, PolicyChanged, PolicyName, PolicySet, PolicyView


class PolicyRecord(Aggregate[PolicyView]):
    """A policy in force; `value` holds every field of its model."""

    __tablename__ = "policy"

    name: Mapped[str]
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_by: Mapped[UUID | None]


async def announce_policies(tx: Tx) -> None:
    """Emits an event for each policy that was never announced, with its default value."""
    await tx.lock("policies")
    for name, policy in POLICIES.items():
        if not await tx.exists(PolicyRecord, policy.id()):
            value = policy().model_dump(mode="json")
            tx.emit(tx.add(PolicyRecord(id=policy.id(), name=name, value=value)), PolicyChanged())


@auth.command(ChangePolicy)
async def change_policy(cmd: ChangePolicy, tx: Tx, by: Actor) -> PolicyRecord:
    """Set a policy; setting the same value changes nothing."""
    value = _checked(cmd.name, cmd.value)
    policy = await tx.load(PolicyRecord, POLICIES[cmd.name].id(), by)
    changed = [field for field in value if value[field] != policy.value.get(field)]
    if changed:
        were = {field: policy.value.get(field) for field in changed}
        policy.value, policy.changed_by = value, by.id
        tx.emit(policy, PolicySet(were=were, now={field: value[field] for field in changed}))
    return policy


def _checked(name: PolicyName, value: dict[str, Any]) -> dict[str, Any]:
    try:
        return POLICIES[name].model_validate(value).model_dump(mode="json")
    except ValidationError as error:
        raise WrongFields.from_pydantic(error, within="value.") from None
