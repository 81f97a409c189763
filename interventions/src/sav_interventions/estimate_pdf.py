"""Estimates as PDF, written like invoices."""

import json
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sav_chassis.law.jurisdiction import Jurisdiction
from sav_chassis.law.withdrawal import rule_for
from sav_chassis.written import money, number
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.estimate import EstimateView
from sav_contracts.time_zone import zone_of
from sav_interventions.invoice_paper import PaperLine, line_facts
from sav_interventions.printing import printed
from sav_interventions.settings import billing


def estimate_pdf(estimate: EstimateView, locale: Locale, law: Jurisdiction | None = None) -> bytes:
    """An estimate that was sent as PDF/A-2b; the same bytes each time it is made in the same state."""
    assert estimate.sent_at is not None
    made = estimate.accepted.at if estimate.accepted else estimate.sent_at
    place, law = estimate.place, law or billing().law
    zone = zone_of(place.country, place.postcode) if place else law.zone
    rule = rule_for(billing().jurisdiction, made.astimezone(ZoneInfo(zone)).date())
    inputs = {
        "estimate": estimate.model_dump_json(),
        "written": json.dumps(_written(estimate, locale), ensure_ascii=False),
        "locale": locale,
        "mentions": "\n".join(law.mentions_on_estimate(estimate.buyer)),
        "pay_back_days": str(rule.pay_back_days) if rule else "",
        "no_payment_days": str(rule.no_payment_days) if rule else "",
        # As the clock at the place shows it.
        "at": made.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M"),
    }
    return printed("estimate", inputs, made, "a-2b")


def _written(estimate: EstimateView, locale: Locale) -> dict[str, Any]:
    """Lines, amounts and rates of an estimate as its reader writes them, as invoices do."""

    def amount(value: Decimal) -> str:
        return money(value, estimate.currency, locale)

    rates = {total.vat_class: total.rate for total in estimate.vat}
    discount = estimate.discount
    taken = sum((total.allowance or Decimal(0) for total in estimate.vat), Decimal(0))
    return {
        "lines": [
            line_facts(PaperLine.model_validate(line), rates[line.vat_class], estimate.currency, locale)
            for line in estimate.lines
        ],
        "vat": [[number(each.rate, locale), amount(each.base), amount(each.vat)] for each in estimate.vat],
        "gross": amount(estimate.net + taken),
        "percent": number(discount.percent, locale) if discount and discount.percent else None,
        "taken": amount(-taken),
        "net": amount(estimate.net),
        "stamp": amount(estimate.stamp) if estimate.stamp is not None else None,
        "total": amount(estimate.total),
    }
