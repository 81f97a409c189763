"""Estimates as PDF."""

import json
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sav_chassis.written import money
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.time_zone import zone_of
from sav_interventions.jurisdiction import Jurisdiction
from sav_interventions.printing import printed
from sav_interventions.settings import billing


def estimate_pdf(estimate: EstimateView, locale: Locale, law: Jurisdiction | None = None) -> bytes:
    """An estimate that was sent as PDF/A-2b; the same bytes each time it is made in the same state."""
    assert estimate.sent_at is not None
    made = estimate.accepted.at if estimate.accepted else estimate.sent_at
    place, mentions = estimate.place, "\n".join((law or billing().law).mentions)
    zone = zone_of(place.country, place.postcode) if place else (law or billing().law).zone
    inputs = {
        "estimate": estimate.model_dump_json(),
        "written": json.dumps(_amounts(estimate, locale), ensure_ascii=False),
        "locale": locale,
        "mentions": mentions,
        # As the clock at the place shows it.
        "at": made.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"),
    }
    return printed("estimate", inputs, made, "a-2b")


def _amounts(estimate: EstimateView, locale: Locale) -> dict[str, Any]:
    """The amounts of an estimate as its reader writes them, as invoices do."""

    def amount(value: Decimal) -> str:
        return money(value, estimate.currency, locale)

    taken = sum((total.allowance or Decimal(0) for total in estimate.vat), Decimal(0))
    return {
        "lines": [[amount(line.unit_price), amount(line.amount)] for line in estimate.lines],
        "vat": [[amount(total.base), amount(total.vat)] for total in estimate.vat],
        "gross": amount(estimate.net + taken),
        "taken": amount(-taken),
        "net": amount(estimate.net),
        "stamp": amount(estimate.stamp) if estimate.stamp is not None else None,
        "total": amount(estimate.total),
    }
