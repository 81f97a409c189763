"""How long visits take."""

from datetime import timedelta

from sav_chassis.tx import Tx
from sav_contracts.auth.policy import Buffers
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView, Purpose


async def visit_length(tx: Tx, what: ReclamationView | InterventionView) -> timedelta:
    """How long a visit for this takes, by the policy; where none is planned for a réclamation yet, it is a repair."""
    visit = what if isinstance(what, InterventionView) else await _planned(tx, what)
    purpose: Purpose = visit.purpose if visit else "repair"
    return (await tx.policy(Buffers)).length(purpose)


async def _planned(tx: Tx, reclamation: ReclamationView) -> InterventionView | None:
    """Its open visit, as far as it is known here: it may be for something else, and have no time yet."""
    return await tx.copies(InterventionView).where(reclamation_id=reclamation.id, open=True).newest()
