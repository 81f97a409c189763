"""Who sees which records. A view declares one rule for each role; everything that checks access follows these rules.

There are no other rules. `sav_chassis.visibility` implements them. Each is a condition on one record.
"""

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sav_contracts.messages import View

# A client's work: a réclamation, and the visits for it.
WORK = ("reclamation", "intervention")
WHOSE = {
    "id": "themselves",
    "user_id": "those about themselves",
    "client_id": "those whose client they are",
    "technician_id": "those whose technician they are",
}


class Rule:
    """Which records of a view somebody sees; `str` gives it in words."""

    def __or__(self, other: "Rule") -> "Either":
        """A rule that shows what either rule shows."""
        return Either((*alternatives(self), *alternatives(other)))

    def within(self, other: "Rule") -> bool:
        """Whether `other` shows everything that this rule shows, for all possible records."""
        if isinstance(self, Either):
            return all(one.within(other) for one in self.rules)
        if isinstance(other, Either):
            return any(self.within(one) for one in other.rules)
        if isinstance(self, Limited) and isinstance(other, Limited) and self.field == other.field:
            return set(self.values) <= set(other.values)
        return self == NOTHING or other in (ALL, self)


@dataclass(frozen=True)
class All(Rule):
    def __str__(self) -> str:
        return "all"


@dataclass(frozen=True)
class Nothing(Rule):
    def __str__(self) -> str:
        return "none"


@dataclass(frozen=True)
class Own(Rule):
    """Records with the reader's id in this field."""

    field: str

    def __str__(self) -> str:
        return WHOSE[self.field]


@dataclass(frozen=True)
class Limited(Rule):
    """Records with one of these values in this field."""

    field: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"those whose {self.field} is {' or '.join(self.values)}"


@dataclass(frozen=True)
class Named(Rule):
    """Records that another record names: one of these `kinds`, whose field `whose` is the reader.

    The other record names them by its field `names`.
    """

    names: str
    whose: str
    # Whether only while the other record is open (`View.is_open`).
    while_open: bool
    kinds: tuple[str, ...] = WORK

    def __str__(self) -> str:
        other = f"{'n open' if self.while_open else ''} {' or '.join(self.kinds)}"
        return f"those that a{other} names whose {self.whose.removesuffix('_id')} they are"


@dataclass(frozen=True)
class ChildOf(Rule):
    """Records whose `parent` is a record of this view that the reader sees."""

    view: "type[View]"

    def __str__(self) -> str:
        return f"those of each {self.view.kind()} that they see"


@dataclass(frozen=True)
class Either(Rule):
    rules: tuple[Rule, ...]

    def __str__(self) -> str:
        return ", and ".join(map(str, self.rules))


ALL, NOTHING = All(), Nothing()


def alternatives(rule: Rule) -> tuple[Rule, ...]:
    """The rules that a rule combines; any one of them is enough."""
    return rule.rules if isinstance(rule, Either) else (rule,)


def either(*rules: Rule) -> Rule:
    """A rule that shows what any of these shows."""
    return rules[0] if len(rules) == 1 else Either(rules) if rules else NOTHING


def named_by_open_work(names: str) -> Named:
    """For a technician: what their open réclamations and visits name."""
    return Named(names, "technician_id", while_open=True)


def named_by_their_work(names: str) -> Named:
    """For a client: what their réclamations and visits name, open or not."""
    return Named(names, "client_id", while_open=False)


@dataclass(frozen=True)
class Visible:
    """Which records of a view each role sees. A client reads them as `for_client()`: where that is None, not at all."""

    client: Rule = NOTHING
    technician: Rule = NOTHING
    manager: Rule = ALL
    admin: Rule = ALL
    anyone: Rule = NOTHING
    system: Rule = field(default=ALL, init=False)

    def to(self, role: str) -> Rule:
        """The rule for a role, by its name."""
        rule: Rule = getattr(self, role)
        return rule

    @classmethod
    def with_each(cls, view: "type[View]") -> Self:
        """The visibility of records that belong to a record of that view: whoever sees the one sees the others."""
        roles = [role.name for role in fields(cls) if role.init]
        seen = {role: view.visible.to(role) for role in roles}
        return cls(**{role: rule if rule in (ALL, NOTHING) else ChildOf(view) for role, rule in seen.items()})
