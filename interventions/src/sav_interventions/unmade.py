"""Acts of telephones that were refused, and of which managers hear: the visit is not where its technician left it."""

from sav_chassis.errors import IllegalMove
from sav_contracts.actor import Actor
from sav_contracts.catalog.servicing import air_quality
from sav_contracts.interventions.act import Act, ActOutcome
from sav_contracts.interventions.visit import InterventionStatus
from sav_interventions.lifecycle import INTERVENTION, NOT_BEGUN, OVER
from sav_interventions.model import Intervention
from sav_interventions.said import Overtaken


def is_told(act: Act, outcome: ActOutcome, visit: Intervention, by: Actor) -> bool:
    """Whether managers hear that this act was refused.

    They do where somebody else had moved the visit, where an act before it may be missing, and of each danger. What is
    newer than the act stays without a word.
    """
    problem = outcome.problem
    if problem is None or problem.status != IllegalMove.status or problem.code == Overtaken.code:
        return False
    # The moves of old visits are not known.
    own = visit.acts[-1].by_id == by.id if visit.acts else visit.status not in OVER
    return not own or _may_lack_one(act, visit.status, by) or _is_danger(act)


def _may_lack_one(act: Act, now: InterventionStatus, by: Actor) -> bool:
    """Whether moves that have not come could have made it possible."""
    return _leads(now, act.move.to, by) if act.move else now in NOT_BEGUN


def _leads(now: InterventionStatus, to: InterventionStatus, by: Actor) -> bool:
    found: set[InterventionStatus] = set()
    ahead = [now]
    while ahead:
        further = set(INTERVENTION.legal(ahead.pop(), by)) - found
        found |= further
        ahead.extend(further)
    return to in found


def _is_danger(act: Act) -> bool:
    ppm = act.work.co_ppm if act.work else None
    return ppm is not None and air_quality(ppm, act.at.date()) == "dangerous"
