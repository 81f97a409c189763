"""Estimates that tests start from, and the requests about them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import world
from given_billing import FR, NOT_COVERED, SELLER, SUPPLY, VALVE_LINE
from given_interventions import PRODUCT, RECLAMATION, VISIT, visit
from pydantic import SecretStr

from sav_chassis.identity import Links
from sav_chassis.law.withdrawal import concluded, right_to_withdraw
from sav_chassis.testing import Outcome, Stage
from sav_contracts.catalog.product import Place
from sav_contracts.interventions.estimate import Acceptance, EstimateStatus, Withdrawal, WriteEstimate
from sav_contracts.interventions.invoice import Buyer
from sav_contracts.messages import Event
from sav_interventions.model import Estimate, Intervention

E = TypeVar("E", bound=Event)

ESTIMATE = UUID(int=800)
ANSWER_GRANT, WITHDRAWAL_GRANT = UUID(int=810), UUID(int=811)
HOME = Place(address="3 rue des Lilas", postcode="69003", city="Lyon")
write = WriteEstimate(intervention_id=VISIT, nature="Vanne gaz à remplacer", lines=[VALVE_LINE])


def right(**fields: Any) -> Withdrawal:
    """Of a consumer at home, unless the fields say otherwise."""
    usual: dict[str, Any] = {
        "setting": "at_home",
        "consumer": True,
        "urgency": None,
        "supplies": False,
    }
    return right_to_withdraw("FR", date(2026, 3, 2), **(usual | fields))


def estimate(status: EstimateStatus = "sent", **fields: Any) -> Estimate:
    """Karim's estimate of 101.88 for Léa; where it was accepted, today, with a right to withdraw."""
    now, known = datetime.now(UTC), fields.get("withdrawal") or right()
    was_accepted = status in {"accepted", "withdrawn"}
    usual: dict[str, Any] = {
        "id": ESTIMATE,
        "client_id": world.lea.id,
        "technician_id": world.karim.id,
        "intervention_id": VISIT,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "reference": "DEV-2026-000001",
        "edition": 1,
        "status": status,
        "currency": "EUR",
        "seller": SELLER,
        "buyer": Buyer(name="Léa Martin", address="3 rue des Lilas, 69003 Lyon"),
        "place": HOME,
        "nature": "Vanne gaz à remplacer",
        "written_on": now.date(),
        "valid_until": None if status == "draft" else now.date() + timedelta(30),
        "lacks": [],
        "withdrawal": concluded(known, "FR", now.date(), HOME) if was_accepted else known,
        "sent_at": None if status == "draft" else now,
        "accepted": Acceptance(at=now, how="site") if was_accepted else None,
        "answer_grant": None if status == "draft" else ANSWER_GRANT,
        "withdrawal_grant": WITHDRAWAL_GRANT if was_accepted and known.right else None,
    }
    lines = fields.pop("lines", [VALVE_LINE])
    made = Estimate(**(usual | fields))
    made.itemise(lines, FR, fields.get("supply") or SUPPLY, fields.get("discount"))
    return made


def early(**fields: Any) -> Estimate:
    """An accepted one, of which the client wants the work to begin at once."""
    made = estimate("accepted", **fields)
    assert made.accepted
    made.accepted = made.accepted.model_copy(update={"begins_early": True})
    return made


def billed(status: Any = "on_site", **fields: Any) -> Intervention:
    """Karim's visit, of which no warranty pays anything."""
    return visit(status, **({"warranty": NOT_COVERED, "purpose": "repair", "product_id": PRODUCT} | fields))


def link(stage: Stage, purpose: str, grant: UUID) -> SecretStr:
    """What stands in a link of the mail."""
    return SecretStr(Links(stage.settings.link_secret).token(purpose, grant))


def event_of(outcome: Outcome, event_type: type[E]) -> E:
    """The one event of this type, among others."""
    [event] = [event for event in outcome.events if isinstance(event, event_type)]
    return event


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code


def wrong_fields(outcome: Outcome) -> list[str]:
    assert refusal(outcome)[0] == 422
    assert outcome.problem
    return [error.field for error in outcome.problem.errors or []]
