"""Queries of claims."""

from sav_chassis.tx import Tx
from sav_claims.app import claims
from sav_contracts.actor import Actor
from sav_contracts.claims.problems import FindProblemTypes, ProblemTypes, problem_types


@claims.query(FindProblemTypes)
async def find_problem_types(query: FindProblemTypes, tx: Tx, by: Actor) -> ProblemTypes:
    """All types of problems, with their questions."""
    return problem_types()
