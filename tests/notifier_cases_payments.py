"""What is told of money: paid online, paid back, disputed, on account."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_notifier import INVOICE, ISSUED, WITH_BANK, invoice, payment
from given_views import a
from notifier_case import LEA, MANAGERS, Case

from sav_contracts.interventions.client_credit import ClientCreditView, CreditReceived, CreditRefunded
from sav_contracts.interventions.invoice import InvoiceIssued
from sav_contracts.interventions.payment import (
    DisputeClosed,
    PaymentDisputed,
    PaymentFailed,
    PaymentRecorded,
    PaymentRefunded,
)

ONLINE: dict[str, Any] = {"method": "card", "checkout_url": "https://pay.example.com/c/1"}


def credit(number: str | None, **fields: Any) -> ClientCreditView:
    return a(
        ClientCreditView,
        id=UUID(int=9107),
        client_id=world.lea.id,
        invoice_id=INVOICE if number else None,
        invoice_number=number,
        **({"origin": "beyond_balance" if number else "on_account"} | fields),
        amount=Decimal("48.12"),
        remaining=Decimal("48.12"),
    )


def failed(reason: str, status: Any = "failed") -> PaymentFailed:
    return PaymentFailed(state=payment(status=status, **ONLINE), reason=reason)


PAYMENTS = [
    Case(
        "invoice of a contract that was just concluded at home",
        InvoiceIssued(state=invoice(**ISSUED), too_early_until=date(2026, 12, 7)),
        {"invoice_issued": LEA},
    ),
    Case(
        "invoice that is paid by transfer",
        InvoiceIssued(state=invoice(**ISSUED, seller=WITH_BANK)),
        {"invoice_issued": LEA},
    ),
    Case(
        "paid online",
        PaymentRecorded(state=payment(**ONLINE), balance=Decimal("0.00")),
        {"payment_received": LEA, "payment_arrived": MANAGERS},
    ),
    Case(
        "paid online too early",
        PaymentRecorded(state=payment(**ONLINE), balance=Decimal("0.00"), too_early_until=date(2026, 3, 12)),
        {"payment_received": LEA, "payment_arrived": MANAGERS},
    ),
    Case(
        "paid from a credit",
        PaymentRecorded(
            state=payment(client_credit_id=UUID(int=9107), amount=Decimal("48.12")), balance=Decimal("951.88")
        ),
        {"payment_received": LEA},
    ),
    Case("failed online", failed("card_declined"), {"payment_failed": LEA}),
    Case("given up online", failed("expired", "expired"), {}),
    Case(
        "a credit is paid back that was left of a payment",
        CreditRefunded(state=credit("FAC-2026-000042"), amount=Decimal("48.12"), reason="Trop-perçu."),
        {"credit_refunded": LEA},
    ),
    Case(
        "a payment is paid back",
        PaymentRefunded(
            state=payment(status="partly_refunded", refunded=Decimal("20.00")),
            amount=Decimal("20.00"),
            reason="Geste commercial.",
        ),
        {"payment_refunded": LEA},
    ),
    *(
        Case(
            f"paid back at the provider{of}",
            PaymentRefunded(
                state=payment(status="refunded", refunded=Decimal("20.00"), client_credit_id=credit_id),
                amount=Decimal("20.00"),
                reason="Remboursé chez le prestataire de paiement.",
                at_provider=True,
            ),
            {"payment_refunded": LEA, "refunded_at_provider": MANAGERS},
        )
        for of, credit_id in (("", None), (", used as credit", UUID(int=9107)))
    ),
    Case(
        "a credit is disputed",
        PaymentDisputed(state=payment(status="disputed", **ONLINE), amount=Decimal("0.00")),
        {"payment_disputed": MANAGERS, "payment_taken_back": LEA},
    ),
    Case("paid on account", CreditReceived(state=credit(None)), {"credit_received": LEA}),
    Case(
        "paid more than the balance",
        CreditReceived(state=credit("FAC-2026-000042")),
        {"credit_received": LEA},
    ),
    Case(
        "credited more than the balance",
        CreditReceived(state=credit("FAC-2026-000042", origin="credit_note")),
        {},
    ),
    Case(
        "a credit is paid back",
        CreditRefunded(state=credit(None), amount=Decimal("48.12"), reason="Trop-perçu."),
        {"credit_refunded": LEA},
    ),
    Case(
        "a payment is disputed",
        PaymentDisputed(state=payment(status="disputed", **ONLINE), amount=Decimal("1000.00")),
        {"payment_disputed": MANAGERS, "payment_taken_back": LEA},
    ),
    *(
        Case(
            f"a dispute{of} is {how}",
            DisputeClosed(state=payment(status=status, **ONLINE), won=won, amount=amount),
            {"dispute_closed": MANAGERS, "dispute_decided": LEA},
        )
        for how, status, won in (("won", "captured", True), ("lost", "refunded", False))
        for of, amount in (("", Decimal("1000.00")), (" of a credit", Decimal("0.00")))
    ),
]
