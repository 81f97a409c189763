"""Parts lists in tests of claims: listed, validated, and what catalog tells of their reservations."""

from typing import Any
from uuid import UUID, uuid5

import world
from given_views import a

from sav_chassis.testing import Outcome, Stage
from sav_contracts.actor import Actor
from sav_contracts.catalog.article import ArticleView
from sav_contracts.catalog.reservation import ReservationView, StockReserved, StockShort
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.parts_list import ListParts, ValidateParts
from sav_contracts.claims.reclamation import ReclamationView
from sav_contracts.parts import PartWanted

CLAIM, PUMP, VALVE, JOINT, GONE = (UUID(int=number) for number in (100, 501, 502, 503, 504))
COVERED = Warranty.of_shares(80, 0, 0, why="cover_applies")


def article(id: UUID, name: str, **fields: Any) -> ArticleView:
    return a(ArticleView, id, name=name, reference=f"R-{id.int}", **fields)


def wanted(**pieces: int) -> list[PartWanted]:
    ids = {"pump": PUMP, "valve": VALVE, "joint": JOINT, "gone": GONE}
    return [PartWanted(article_id=ids[name], quantity=quantity) for name, quantity in pieces.items()]


async def lists(stage: Stage, by: Actor = world.karim, **pieces: int) -> Outcome:
    return await stage.when(ListParts(reclamation_id=CLAIM, parts=wanted(**pieces)), by=by)


async def validates(stage: Stage, edition: int = 1, by: Actor = world.marie) -> Outcome:
    return await stage.when(ValidateParts(reclamation_id=CLAIM, edition=edition), by=by)


def reservation(article_id: UUID, version: int = 1, quantity: int = 2, **fields: Any) -> ReservationView:
    usual: dict[str, Any] = {
        "version": version,
        "article_id": article_id,
        "for_id": CLAIM,
        "line_id": uuid5(CLAIM, str(article_id)),
        "quantity": quantity,
    }
    return a(ReservationView, **({"id": uuid5(article_id, "reservation")} | usual | fields))


def reserved(article_id: UUID, **fields: Any) -> StockReserved:
    return StockReserved(state=reservation(article_id, **fields))


def short(article_id: UUID, **fields: Any) -> StockShort:
    return StockShort(state=reservation(article_id, **({"status": "back_ordered"} | fields)))


def states(outcome: Outcome) -> dict[str, tuple[str, int, int]]:
    """Each line's state, quantity, and pieces that were used, by the name of its article."""
    assert outcome.problem is None, outcome.problem
    view = outcome.events[-1].state
    assert isinstance(view, ReclamationView)
    return {part.article: (part.state, part.quantity, part.used) for part in view.parts}


def code(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    return outcome.problem.status, outcome.problem.code
