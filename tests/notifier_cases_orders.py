"""What is told of orders of parts."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_notifier import ISSUED, invoice, payment
from given_orders import PUMP, VALVE, order_line, order_view
from notifier_case import KARIM, LEA, MANAGERS, Case

from sav_contracts.actor import Role
from sav_contracts.claims.order import (
    OrderCancelled,
    OrderMoved,
    OrderPlaced,
    OrderRefused,
    OrderReturned,
    OrderShipped,
    OrderStatus,
    OrderView,
    OrderWithdrawn,
)
from sav_contracts.interventions.estimate import Withdrawal
from sav_contracts.messages import View

AT = datetime(2026, 3, 6, 18, 3, tzinfo=UTC)
RIGHT = Withdrawal(right=True, case="at_distance", days=14, counts_from="delivery")
REASON = "Cette pièce n’est plus fabriquée."
FOR_KARIM: dict[str, Any] = {
    "purpose": "repair",
    "technician_id": world.karim.id,
    "reclamation_id": order_view().id,
    "reclamation_reference": "REC-2026-000100",
}
PURCHASE, REPAIR = "a purchase", "an order for a repair"


def order(whose: str, status: OrderStatus = "placed", **fields: Any) -> OrderView:
    """A pump that is there, and valves that are not yet."""
    lines = order_line(PUMP, 1, state="reserved"), order_line(VALVE, 3, state="back_ordered")
    named = FOR_KARIM if whose == REPAIR else {}
    return order_view(
        *lines, status=status, net="1234.50", gross=None if named else "1481.40", version=2, **named, **fields
    )


# Known before: the invoice of a purchase, and a part of it paid back already.
PAID, OF_PURCHASE = UUID(int=9700), UUID(int=9701)
BILLED: tuple[View, ...] = (
    invoice(**ISSUED | {"id": OF_PURCHASE, "order_id": PAID, "intervention_id": None}),
    payment(id=UUID(int=9702), invoice_id=OF_PURCHASE, amount=Decimal("200.00"), refunded=Decimal("50.00")),
)


def moved(whose: str, before: OrderStatus, after: OrderStatus) -> OrderMoved:
    return OrderMoved(state=order(whose, after), before=before, after=after)


ORDERS = [
    Case(
        f"{PURCHASE} is placed",
        OrderPlaced(state=order(PURCHASE, withdrawal=RIGHT)),
        {"order_received": LEA, "order_to_validate": MANAGERS},
    ),
    Case(f"{REPAIR} is placed", OrderPlaced(state=order(REPAIR)), {"order_to_validate": MANAGERS}),
    *(
        case
        for whose, who in ((PURCHASE, LEA), (REPAIR, KARIM))
        for case in (
            Case(
                f"{whose} is refused",
                OrderRefused(state=order(whose, "refused", reason=REASON), reason=REASON),
                {"order_refused": who},
            ),
            *(
                Case(
                    f"{whose} that was {before} is back-ordered",
                    moved(whose, before, "back_ordered"),
                    {"order_stock": who},
                )
                for before in ("validated", "reserved")
            ),
            *(
                Case(
                    f"{whose} that was {before} is reserved",
                    moved(whose, before, "reserved"),
                    {"order_stock": who, "order_to_ship": MANAGERS},
                )
                for before in ("validated", "back_ordered")
            ),
            Case(f"{whose} is shipped", OrderShipped(state=order(whose, "shipped")), {"order_shipped": who}),
            Case(
                f"{whose} is cancelled by a manager",
                OrderCancelled(
                    state=order(whose, "cancelled", reason=REASON), by=Role.MANAGER, reason=REASON
                ),
                {"order_cancelled": who},
            ),
        )
    ),
    *(
        Case(
            f"{PURCHASE} that is {status} is withdrawn from",
            OrderWithdrawn(
                state=order(PURCHASE, status, withdrawn_at=AT), at=AT, pay_back_by=date(2026, 3, 20)
            ),
            {"order_withdrawal_receipt": LEA, "order_withdrawn": MANAGERS},
        )
        for status in ("cancelled", "shipped")
    ),
    *(
        Case(
            f"{PURCHASE} is back that was {how}",
            OrderReturned(
                state=order(PURCHASE, "received", withdrawn_at=AT, returned_at=AT, **of),
                pay_back_by=date(2026, 3, 20),
            ),
            {"order_returned": MANAGERS} if of else {},
        )
        for how, of in (("paid", {"id": PAID}), ("not paid", {}))
    ),
    Case(
        f"{PURCHASE} is cancelled by its client",
        OrderCancelled(state=order(PURCHASE, "cancelled"), by=Role.CLIENT),
        {},
    ),
    Case(
        f"{REPAIR} is cancelled by its technician",
        OrderCancelled(state=order(REPAIR, "cancelled"), by=Role.TECHNICIAN),
        {},
    ),
    Case(
        f"{REPAIR} ends with its réclamation",
        OrderCancelled(state=order(REPAIR, "cancelled"), by=Role.SYSTEM),
        {"order_cancelled": KARIM | MANAGERS},
    ),
]
