"""How long visits take."""

from datetime import timedelta

from sav_chassis.tx import Tx
from sav_contracts.auth.policy import Buffers
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.interventions.visit import InterventionView, Purpose


async def visit_length(tx: Tx, what: ReclamationView | InterventionView) -> timedelta:
    """How long a visit for this takes, by the policy: the first one for a réclamation is a repair."""
    purpose: Purpose = what.purpose if isinstance(what, InterventionView) else "repair"
    return (await tx.policy(Buffers)).length(purpose)
