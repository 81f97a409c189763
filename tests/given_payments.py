"""What tests of payments ask for, and the signed news of the sandbox."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from given_billing import INVOICE

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.payment import RecordPayment, TakePaymentNews
from sav_interventions.online.sandbox import Sandbox, SandboxNews


def pay(amount: str, method: str = "transfer", invoice_id: UUID = INVOICE, **fields: Any) -> RecordPayment:
    return RecordPayment.model_validate(
        {"invoice_id": invoice_id, "method": method, "amount": Decimal(amount)} | fields
    )


def signed(
    stage: Stage, kind: Any, payment_id: UUID, id: str = "", at: datetime | None = None, **fields: Any
) -> TakePaymentNews:
    """News of the sandbox, signed."""
    payload = SandboxNews(id=id or f"{kind} {payment_id}", kind=kind, payment_id=payment_id, **fields)
    text = payload.model_dump_json()
    return TakePaymentNews(payload=text, signature=Sandbox(stage.settings).sign(text, at or stage.now()))


async def ledger(stage: Stage) -> list[tuple[str, Decimal]]:
    """The kind and amount of each entry, after a check that each stands on the one before."""
    rows = await stage.database.pool.fetch("SELECT * FROM ledger_entry ORDER BY number")
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["previous_hash"] for row in rows] == ["0" * 64, *(row["hash"] for row in rows)][: len(rows)]
    return [(row["kind"], row["amount"]) for row in rows]


async def paid(stage: Stage, invoice_id: UUID = INVOICE) -> tuple[str, Decimal]:
    """The invoice's state, and what counts as paid of it."""
    row = await stage.database.pool.fetchrow("SELECT status, paid FROM invoice WHERE id = $1", invoice_id)
    assert row is not None
    return row["status"], row["paid"]


def refusal(outcome: Outcome) -> tuple[int, str]:
    assert outcome.problem, outcome.events
    assert outcome.events == []
    return outcome.problem.status, outcome.problem.code
