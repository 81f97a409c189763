"""What is told of estimates."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_notifier import GRANT, OF_IT, START, VISIT
from given_views import a
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.interventions.estimate import (
    Acceptance,
    EstimateAccepted,
    EstimateExpired,
    EstimateRefused,
    EstimateSent,
    EstimateView,
    EstimateWithdrawn,
    EstimateWritten,
    Withdrawal,
)

ESTIMATE = UUID(int=800)
AT: datetime = START
RIGHT = Withdrawal(right=True, case="at_home", days=14, counts_from="conclusion", until=date(2126, 12, 10))
FROM_DELIVERY = Withdrawal(right=True, case="at_distance", days=14, counts_from="delivery")
NONE = Withdrawal(right=False, case="urgent_repair", urgency="Fuite")


def estimate(**fields: Any) -> EstimateView:
    usual: dict[str, Any] = {
        "id": ESTIMATE,
        "technician_id": world.karim.id,
        "intervention_id": VISIT,
        "total": Decimal("205.04"),
        **OF_IT,
    }
    return a(EstimateView, **(usual | fields))


def accepted(right: Withdrawal = RIGHT, early: bool = False, **fields: Any) -> EstimateView:
    said = Acceptance(at=AT, how="link", keeps_parts=True, begins_early=early)
    return estimate(status="accepted", accepted=said, withdrawal=right, version=3, **fields)


def on_paper() -> EstimateView:
    return accepted().model_copy(update={"accepted": Acceptance(at=AT, how="paper")})


def withdrawn(**facts: Any) -> EstimateWithdrawn:
    state = accepted().model_copy(update={"status": "withdrawn", "withdrawn_at": AT, "version": 4})
    return EstimateWithdrawn(state=state, at=AT + timedelta(hours=3), **facts)


OF_NONE: dict[str, Any] = {
    "reclamation_id": None,
    "reclamation_reference": None,
    "visit_reference": "INT-2026-000007",
}
ESTIMATES = [
    Case("an estimate to check", EstimateWritten(state=estimate()), {"estimate_to_validate": MANAGERS}),
    Case(
        "an estimate that lacks something",
        EstimateWritten(state=estimate(lacks=["certification", "buyer_address"])),
        {"estimate_to_validate": MANAGERS},
    ),
    Case(
        "an estimate of maintenance to check",
        EstimateWritten(state=estimate(**OF_NONE)),
        {"estimate_to_validate": MANAGERS},
    ),
    Case(
        "an estimate",
        EstimateSent(
            state=estimate(status="sent", valid_until=date(2126, 12, 24), version=2),
            grant_id=GRANT,
            expires_at=START + timedelta(days=28),
        ),
        {"estimate_to_answer": LEA},
    ),
    Case(
        "another edition of an estimate",
        EstimateSent(
            state=estimate(status="sent", edition=2, valid_until=date(2126, 12, 24), version=2),
            grant_id=GRANT,
            expires_at=START + timedelta(days=28),
        ),
        {"estimate_to_answer": LEA},
    ),
    *(
        Case(
            f"an accepted estimate: {name}",
            EstimateAccepted(state=state, grant_id=GRANT if state.withdrawal.right else None),
            {"estimate_accepted": LEA, "estimate_answered": MANAGERS | KARIM},
        )
        for name, state in (
            ("work waits", accepted()),
            ("on paper", on_paper()),
            ("work begins early", accepted(early=True)),
            ("from delivery", accepted(FROM_DELIVERY)),
            ("no right", accepted(NONE)),
            ("of maintenance", accepted(**OF_NONE)),
        )
    ),
    Case(
        "a refused estimate",
        EstimateRefused(state=estimate(status="refused", reason="Trop cher", version=3)),
        {"estimate_refused": LEA, "estimate_answered": MANAGERS | KARIM},
    ),
    Case(
        "a refused estimate: nobody comes",
        EstimateRefused(state=estimate(status="refused", version=3), cancels=True),
        {"estimate_refused": LEA, "estimate_answered": MANAGERS | KARIM},
    ),
    Case(
        "a refused estimate of maintenance: nobody comes",
        EstimateRefused(state=estimate(status="refused", version=3, **OF_NONE), cancels=True),
        {"estimate_refused": LEA, "estimate_answered": MANAGERS | KARIM},
    ),
    Case(
        "an estimate that nobody answered",
        EstimateExpired(state=estimate(status="expired", version=3)),
        {"estimate_answered": MANAGERS | KARIM},
    ),
    *(
        Case(
            f"a withdrawal: {name}",
            withdrawn(**facts),
            {"withdrawal_receipt": LEA, "estimate_withdrawn": MANAGERS, "work_withdrawn": KARIM},
        )
        for name, facts in (
            ("nothing was done", {}),
            ("a part is owed", {"owed": "part_done", "begun": True, "cancels": False}),
            ("a part is owed and another visit was planned", {"owed": "part_done", "begun": True}),
            ("somebody is on site", {"cancels": False}),
            ("nobody asked to begin", {"owed": "nothing", "begun": True}),
        )
    ),
]
