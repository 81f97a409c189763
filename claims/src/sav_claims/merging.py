"""What a réclamation that was merged into another one still takes: nothing; its history stays readable."""

from sav_chassis.errors import Conflict
from sav_chassis.tx import Tx
from sav_claims.model import Reclamation


class MergedAway(Conflict):
    """The réclamation was merged into another one, where everything goes on."""

    code = "merged_away"
    reference: str
    target: str
    en = "{reference} was merged into {target}: write there"
    fr = "{reference} a été fusionnée avec {target} : écrivez dans celle-ci"


async def check_not_merged(reclamation: Reclamation, tx: Tx) -> None:
    """Raises `MergedAway`, which names the réclamation that goes on, where this one was merged into it."""
    if reclamation.merged_into_id is None:
        return
    target = await tx.session.get_one(Reclamation, reclamation.merged_into_id)
    raise MergedAway(reference=reclamation.reference, target=target.reference)
