"""What both agreed before the visit, and how its invoice is drafted."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from given_billing import (
    client,
    closed,
    home,
    line,
    told_closed,
)
from given_estimates import estimate
from given_interventions import NOW, valve

from sav_chassis.testing import Outcome, Stage
from sav_contracts.interventions.estimate import Acceptance
from sav_contracts.interventions.invoice import (
    InvoiceDrafted,
    InvoiceView,
)
from sav_contracts.interventions.line import LineGiven
from sav_interventions.model import Estimate, Intervention

D = Decimal
BEFORE = NOW - timedelta(days=1)
DIAGNOSIS, DEPOSIT, OTHER_ID = UUID(int=199), UUID(int=701), UUID(int=709)
# What Karim's visit does, at prices and with discounts that were agreed.
LABOUR = LineGiven(kind="labour", description="Remplacement", unit="hour", unit_price=D("50.00"), minutes=90)
PART = line(None, unit_price=D("80.00"), discount=D("10.00"))
TRAVEL = LineGiven(kind="travel", description="Trajet", unit="km", unit_price=D("0.50"), quantity=D("12.5"))
FIXED = LineGiven(kind="fixed", description="Forfait", unit="flat", unit_price=D("150.00"))
ALL = [LABOUR, PART, TRAVEL]


def agreed(*lines: LineGiven, at: datetime = BEFORE, **fields: Any) -> Estimate:
    """An estimate that Léa accepted before the visit."""
    made = estimate("accepted", **({"lines": list(lines or ALL)} | fields))
    made.accepted = Acceptance(at=at, how="site", begins_early=True)
    return made


def visited(status: Any = "completed", **fields: Any) -> Intervention:
    made = closed(**fields)
    made.status = status
    return made


async def drafted(stage: Stage, *records: Any, **fields: Any) -> InvoiceView:
    return (await closing(stage, *records, **fields)).only(InvoiceDrafted).state


async def closing(stage: Stage, *records: Any, **fields: Any) -> Outcome:
    boiler = home(older=False)
    await stage.knows(client(), boiler, valve(), valve(id=boiler.article_id))
    await stage.given(visited(**fields), *records)
    return await stage.hears(told_closed(visited(**fields)))
