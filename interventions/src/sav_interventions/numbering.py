"""Numbers of invoices and credit notes after a restore: they must have no unrecorded gap, so the operator gives the last ones issued."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Self

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from sav_contracts.interventions.credit_note import PaperKind
from sav_interventions.model.invoice import CREDITS, FIRST_SERIES, GENESIS, SERIES, MissingNumbers, Series

NUMBER = re.compile(r"([A-Z][A-Z0-9]{1,9})-(\d{4})-(\d{6,9})")
NAME = re.compile("[A-Z][A-Z0-9]{1,9}")


class NumbersUnclear(Exception):
    """These numbers cannot be the last ones; the message says why."""


class Number(NamedTuple):
    """An invoice's number: its series, its year, its place in that year."""

    series: str
    year: int
    place: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Parses the number as it is printed on an invoice; raises `NumbersUnclear` for anything else."""
        if not (parts := NUMBER.fullmatch(text.strip())):
            raise NumbersUnclear(f"{text!r} is no number of an invoice, such as {SERIES}-2026-000123")
        return cls(parts[1], int(parts[2]), int(parts[3]))

    def __str__(self) -> str:
        return f"{self.series}-{self.year}-{self.place:06}"


async def last_number(session: AsyncSession, kind: PaperKind = "invoice") -> Number | None:
    """The last number drawn here in the series in use; None where none was drawn."""
    series = await _in_use(session, kind)
    return Number(series.series, series.day.year, series.last) if series and series.last else None


async def continue_after(session: AsyncSession, outside: Sequence[Number]) -> list[MissingNumbers]:
    """Continues after `outside`, the last issued numbers (one for each year and kind of paper).

    Records and returns the missing ones. Raises `NumbersUnclear` where `outside` does not fit the numbers here.
    """
    used = {kind: await _name(session, kind) for kind in FIRST_SERIES}
    if wrong := [number for number in outside if number.series not in used.values()]:
        names = " and ".join(used.values())
        raise NumbersUnclear(f"{wrong[0]} is of another series than {names}, which are in use here")
    return [
        missing
        for kind, name in used.items()
        for missing in await _continue(
            session, kind, name, [number for number in outside if number.series == name]
        )
    ]


async def _continue(
    session: AsyncSession, kind: PaperKind, name: str, outside: Sequence[Number]
) -> list[MissingNumbers]:
    series, here = await _in_use(session, kind), await last_number(session, kind)
    if not outside and here is None:
        return []
    if not outside:
        raise NumbersUnclear(f"{here} is here already: that one, or a later one, is the last")
    last = {number.year: number.place for number in outside}
    end = max(last)
    series = series or _begun(session, kind, name, date(min(last), 1, 1))
    if end > max(series.day.year, (datetime.now(UTC) + timedelta(days=1)).year):
        raise NumbersUnclear(f"the year {end} is still to come")
    missing: list[MissingNumbers] = []
    for year in range(min(series.day.year, end), end + 1):
        if year > series.day.year:
            series.day, series.last = date(year, 1, 1), 0
        if year not in last:
            raise NumbersUnclear(f"the last number of {year} is needed too")
        if (year, last[year]) < (series.day.year, series.last):
            raise NumbersUnclear(
                f"{here or series.day.year} is here already: nothing before it can be the last"
            )
        if last[year] > series.last:
            missing.append(_missed(session, series, last[year]))
            series.last = last[year]
    return missing


async def begin(session: AsyncSession, name: str) -> list[MissingNumbers]:
    """Begins a new series of invoices, and one of credit notes, since the last number of neither is known.

    Records that what followed in the ones before is unknown.
    """
    if not NAME.fullmatch(name):
        raise NumbersUnclear(
            f"{name!r} is no name of a series: two to ten capitals and digits, such as {SERIES}2"
        )
    there = await session.get(Series, name)
    if name in FIRST_SERIES.values() or there:
        raise NumbersUnclear(f"there is a series {name} already: begin one with another name")
    over = await session.scalar(select(func.count()).where(Series.kind == "credit_note", Series.over))
    names: dict[PaperKind, str] = {"invoice": name, "credit_note": f"{CREDITS}{(over or 0) + 2}"}
    if await session.get(Series, names["credit_note"]) or name == names["credit_note"]:
        raise NumbersUnclear(f"{names['credit_note']} is the name of the next series of credit notes")
    return [await _replaced(session, kind, new) for kind, new in names.items()]


async def _replaced(session: AsyncSession, kind: PaperKind, name: str) -> MissingNumbers:
    today = datetime.now(UTC).date()
    before = await _in_use(session, kind) or _begun(session, kind, FIRST_SERIES[kind], today)
    missing = _missed(session, before, None)
    before.over = True
    await session.flush()
    # The new series continues the same chain of hashes.
    _begun(session, kind, name, today, missing.hash)
    return missing


async def missing_numbers(session: AsyncSession) -> list[MissingNumbers]:
    """All recorded gaps, oldest first."""
    return list(
        await session.scalars(select(MissingNumbers).order_by(MissingNumbers.at, MissingNumbers.year))
    )


async def _in_use(session: AsyncSession, kind: PaperKind) -> Series | None:
    query = select(Series).where(~Series.over, Series.kind == kind).with_for_update()
    return (await session.scalars(query)).one_or_none()


async def _name(session: AsyncSession, kind: PaperKind) -> str:
    series = await _in_use(session, kind)
    return series.series if series else FIRST_SERIES[kind]


def _begun(session: AsyncSession, kind: PaperKind, name: str, day: date, stands_on: str = GENESIS) -> Series:
    series = Series(series=name, kind=kind, day=day, last=0, hash=stands_on, over=False)
    session.add(series)
    return series


def _missed(session: AsyncSession, series: Series, last: int | None) -> MissingNumbers:
    missing = MissingNumbers(
        series=series.series,
        year=series.day.year,
        first=series.last + 1,
        last=last,
        at=datetime.now(UTC),
        previous_hash=series.hash,
    )
    missing.hash = series.hash = missing.digest()
    session.add(missing)
    return missing
