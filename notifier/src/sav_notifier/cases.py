"""What a message is about: a réclamation, or a visit that is for none."""

from typing import NamedTuple
from uuid import UUID

from sav_chassis.tx import Tx
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView


class Case(NamedTuple):
    """The reference by which people know it, and what it is about."""

    reference: str
    article: str


async def case_of(tx: Tx, reclamation_id: UUID | None, visit_id: UUID | None) -> Case:
    """The case of a record that names its réclamation, or else its visit; `NotYet` before the copy of that."""
    if reclamation_id:
        reclamation = await tx.view(ReclamationView, reclamation_id)
        return Case(reclamation.reference, reclamation.article)
    assert visit_id is not None
    visit = await tx.view(InterventionView, visit_id)
    return Case(visit.called, visit.article or "")


async def article_of(tx: Tx, visit: InterventionView) -> str:
    """What a visit is about, in the words of its réclamation."""
    if visit.reclamation_id:
        return (await tx.view(ReclamationView, visit.reclamation_id)).article
    return visit.article or ""


async def reference_of(tx: Tx, reclamation_reference: str | None, visit_id: UUID | None) -> str:
    """The reference of a record that says its réclamation's, or else names its visit."""
    return reclamation_reference or (await case_of(tx, None, visit_id)).reference
