"""Fields that two services keep of one person and that either may change: in the end both hold the same (ADR 45).

Each field has an edition beside it, the number of its changes wherever they were made. The higher edition is the newer
value. Where both sides changed it at once, the editions are equal, and the side that `yields` takes the other's value.
"""

from typing import Any

SHARED = ("name", "locale")


def edition_of(field: str) -> str:
    """The name of the number beside a shared field."""
    return f"{field}_edition"


def change(record: Any, values: dict[str, Any]) -> bool:
    """Sets these fields, and counts the change of a shared one; returns whether any has another value than before."""
    changed = {name: value for name, value in values.items() if getattr(record, name) != value}
    for name, value in changed.items():
        setattr(record, name, value)
        if name in SHARED:
            setattr(record, edition_of(name), getattr(record, edition_of(name)) + 1)
    return bool(changed)


def follow(record: Any, told: Any, *, yields: bool) -> bool:
    """Takes over what the other side tells, where that is newer; returns whether anything changed here."""
    followed = False
    for name in SHARED:
        edition = edition_of(name)
        here, there = getattr(record, edition), getattr(told, edition)
        differs = getattr(record, name) != getattr(told, name)
        if there > here or (yields and there == here and differs):
            setattr(record, name, getattr(told, name))
            setattr(record, edition, there)
            followed = True
    return followed
