"""The covers that follow from when, by whom and to whom a product was sold, and the repairs that prolong them."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from uuid import UUID

from sav_contracts.catalog.product import Place
from sav_contracts.catalog.warranty import Cover, CoveredRepair, CoverKind, legal_guarantee, months_after
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView

# What ended without a repair, but perhaps after one: the client reopened it.
GIVEN_UP = {"cancelled", "rejected", "merged"}
# Where the fault is there again, or still.
DOWN = {"submitted", "qualified", "awaiting_client", "reopened"}


def legal_cover(id: UUID, purchase: date, delivery: date, second_hand: bool) -> Cover:
    """The legal guarantee of conformity from delivery (Code de la consommation, L217-3)."""
    rule = legal_guarantee(purchase)
    return _cover(
        id, "legal_conformity", delivery, rule.second_hand if second_hand else rule.months, 100, 100
    )


def commercial_covers(
    new_id: Callable[[], UUID], purchase: date, parts_months: int, labour_months: int
) -> Iterator[Cover]:
    """The seller's own warranty from purchase: for parts, and for labour and travel; each if it lasts at least a month."""
    if parts_months:
        yield _cover(new_id(), "commercial", purchase, parts_months, 100, 0)
    if labour_months:
        yield _cover(new_id(), "commercial", purchase, labour_months, 0, 100)


def _cover(id: UUID, kind: CoverKind, start: date, months: int, parts: int, labour: int) -> Cover:
    return Cover(
        id=id,
        kind=kind,
        start=start,
        end=months_after(start, months),
        months=months,
        parts=parts,
        labour=labour,
        travel=labour,
    )


def covered_repairs(
    reclamations: Collection[ReclamationView],
    visits: Collection[InterventionView],
    place: Place,
    serial: str,
    replaced_on: date | None = None,
) -> list[CoveredRepair]:
    """The repairs that covers paid or will pay, of the unit with this serial number; the same for the records in any order.

    Where another unit took its place, `replaced_on` this day, so did what nobody has decided yet.
    """
    found = (
        _covered_repair(
            reclamation,
            [visit for visit in visits if visit.reclamation_id == reclamation.id],
            place,
            serial,
            replaced_on,
        )
        for reclamation in reclamations
    )
    return list(filter(None, found))


def _covered_repair(
    reclamation: ReclamationView,
    visits: list[InterventionView],
    place: Place,
    serial: str,
    replaced_on: date | None,
) -> CoveredRepair | None:
    done = [visit for visit in visits if _is_repair(visit)]
    if reclamation.status in GIVEN_UP:
        # It keeps the repairs that took place; what was only looked at is none.
        done = [visit for visit in done if visit.purpose == "repair"]
    decided = [visit.warranty for visit in done or visits] or [reclamation.warranty]
    kinds: set[CoverKind] = set().union(*(warranty.paid_by() for warranty in decided if warranty))
    ended = replaced_on is not None and _waited_on(replaced_on, reclamation, place)
    undecided = all(warranty is None or warranty.decision == "unknown" for warranty in decided)
    over = not reclamation.is_open() or reclamation.status == "resolved"
    if (over and not done and not ended) or not (kinds or (ended and undecided)):
        return None
    # A visit before another unit took its place only found that it cannot be repaired.
    replaced = ended and reclamation.resolution == "replaced"
    waits = replaced or reclamation.status in DOWN or any(visit.is_open() for visit in visits)
    # Until its report is validated, nobody says that the unit works again.
    back = max((visit.done_at for visit in done if visit.done_at), default=None)
    return CoveredRepair(
        reclamation_id=reclamation.id,
        asked=place.day(reclamation.created_at),
        back=place.day(back) if back and not waits else None,
        # Another unit is no repair: it only suspends the covers.
        covers=[] if any(names_another_unit(visit, serial) for visit in done) else sorted(kinds),
        times=max(1, sum(map(_is_legal_repair, done))),
    )


def _is_legal_repair(visit: InterventionView) -> bool:
    """Whether a completed visit adds to the legal guarantee (L217-13); a diagnosis before it is no repair of its own."""
    paid_by = visit.warranty.paid_by() if visit.warranty else ()
    return visit.purpose == "repair" and "legal_conformity" in paid_by


def _waited_on(day: date, reclamation: ReclamationView, place: Place) -> bool:
    """Whether it was made by that day and had no end before it, but perhaps the decision to replace the unit."""
    end = reclamation.resolved_at or reclamation.closed_at
    if reclamation.status in GIVEN_UP:
        end = reclamation.ended_at or reclamation.updated_at
    waited = end is None or place.day(end) >= day or reclamation.resolution == "replaced"
    return place.day(reclamation.created_at) <= day and waited


def until_replaced(
    repairs: Iterable[CoveredRepair], on: date, before: Iterable[CoveredRepair] = ()
) -> Iterator[CoveredRepair]:
    """The repairs of a unit whose place another one took `on` this day, which ended what it still waited for.

    What was repaired by then, as the repairs known `before` say, stays so where the client reopens it afterwards.
    """
    over = {repair.reclamation_id: repair for repair in before if repair.back and repair.back <= on}
    for repair in repairs:
        if repair.back and repair.back <= on:
            yield repair
        elif (known := over.get(repair.reclamation_id)) and known.covers:
            yield known
        elif repair.asked <= on:
            yield repair.model_copy(update={"back": on, "covers": []})


def names_another_unit(visit: InterventionView, serial: str) -> bool:
    """Whether the visit says that another unit took the place of the one with this serial number."""
    work = visit.work
    new = work.replacement_serial if work and work.failed_serial == serial else None
    return new is not None and new != serial


def _is_repair(visit: InterventionView) -> bool:
    return (
        visit.status == "completed"
        and visit.closed_at is not None
        and visit.purpose in ("diagnostic", "repair")
    )
