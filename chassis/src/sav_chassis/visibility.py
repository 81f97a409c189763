"""The rules of `sav_contracts.visibility` in practice: as SQL for rows of the table `view`, and for one record.

`me` is the SQL of the reader's id, and `v` the alias of the row. The SQL fits any table with a rule's fields.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from sav_chassis.model import Aggregate
from sav_contracts.actor import Actor, Role
from sav_contracts.messages import View
from sav_contracts.visibility import (
    All,
    ChildOf,
    Either,
    Limited,
    Named,
    Nothing,
    Own,
    Rule,
    alternatives,
)


def doc(role: Role) -> str:
    """The column with the form of a record that this role reads."""
    return "doc_client" if role is Role.CLIENT else "doc"


def visible(role: Role, rule: Rule, me: str, v: str = "v") -> str:
    """The SQL condition for rows that the reader sees: the rule allows them, and there is a form for the role."""
    return f"{v}.{doc(role)} IS NOT NULL AND {condition(role, rule, me, v)}"


def condition(role: Role, rule: Rule, me: str, v: str) -> str:
    """The SQL condition for the rule alone."""
    match rule:
        case All():
            return "true"
        case Nothing():
            return "false"
        case Own(field):
            return f"{v}.{field} = {me}"
        case Limited(field, values):
            return f"{v}.doc ->> '{field}' IN {_list(values)}"
        case Named():
            return f"{v}.id IN (SELECT x.{rule.names} FROM view x WHERE {naming(rule, 'x')} AND x.{rule.whose} = {me})"
        case ChildOf(parent):
            seen = visible(role, parent.visible.to(role), me, "parent")
            return f"""EXISTS (SELECT FROM view parent
                WHERE parent.kind = '{parent.kind()}' AND parent.id = {v}.parent AND {seen})"""
        case Either(rules):
            return f"({' OR '.join(condition(role, one, me, v) for one in rules)})"
    raise TypeError(f"{rule!r} is no rule of visibility")


def naming(rule: Named, x: str) -> str:
    """The SQL condition for rows of `view` that may name others under this rule."""
    return f"{x}.kind IN {_list(rule.kinds)}" + (f" AND {x}.open" if rule.while_open else "")


def kinds_asked(rule: Rule, role: Role) -> set[str]:
    """The kinds of the other records that a rule looks at."""
    needed: set[str] = set()
    for one in alternatives(rule):
        if isinstance(one, Named):
            needed |= set(one.kinds)
        elif isinstance(one, ChildOf):
            needed |= kinds_asked(one.view.visible.to(role), role)
    return needed


async def sees(session: AsyncSession, rule: Rule, by: Actor, record: Aggregate | View) -> bool:
    """Whether the actor sees a record of this service. Other records are looked up in the service's copies.

    `TypeError` for `ChildOf`: such a record must be found through its parent.
    """
    if (
        by.role is Role.CLIENT
        and (record.view() if isinstance(record, Aggregate) else record).for_client() is None
    ):
        return False
    for one in alternatives(rule):
        if await _holds(session, one, by, record):
            return True
    return False


async def _holds(session: AsyncSession, rule: Rule, by: Actor, record: Aggregate | View) -> bool:
    match rule:
        case All() | Nothing():
            return isinstance(rule, All)
        case Own(field):
            return bool(getattr(record, field) == by.id)
        case Limited(field, values):
            return getattr(record, field) in values
        case Named():
            named = text(
                f"SELECT true FROM view x WHERE {naming(rule, 'x')} AND x.{rule.whose} = :me AND x.{rule.names} = :id LIMIT 1"
            )
            return bool(await session.scalar(named, {"me": by.id, "id": record.id}))
    raise TypeError(f"{rule!r} is not judged by a record alone")


def _list(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"
