"""The right to withdraw from an accepted estimate or a purchase: whether there is one, why, and until when. Pure rules."""

from collections.abc import Container
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from holidays import country_holidays, list_supported_countries

from sav_contracts.address import Address
from sav_contracts.interventions.estimate import Setting, Withdrawal, WithdrawalCase
from sav_contracts.public_holidays import LOCAL

DAY = timedelta(days=1)
SATURDAY = 5


class WithdrawalRule(NamedTuple):
    """What a country's law gives to consumers who conclude a contract away from the firm, for contracts from `since` on."""

    country: str
    since: date
    days: int
    # From conclusion at the client's home, nothing may be paid so long.
    no_payment_days: int
    # From the day on which the firm learns of a withdrawal, what was paid is paid back so soon (L221-24 at home).
    pay_back_days: int
    reference: str
    no_payment: str
    # Repairs at home that the client asked to be done at once.
    urgent: str


# The newest first. Loi n° 2014-344 holds for contracts from 14 June 2014 on. None is known here for Tunisia.
WITHDRAWAL_RULES = (
    WithdrawalRule(
        "FR",
        date(2014, 6, 14),
        14,
        7,
        14,
        "Code de la consommation, L221-18 à L221-20",
        "Code de la consommation, L221-10",
        "Code de la consommation, L221-28, 8°",
    ),
)

# France's territories that are also named as countries.
OVERSEAS = {
    "GP": "971",
    "MQ": "972",
    "GF": "973",
    "RE": "974",
    "PM": "975",
    "YT": "976",
    "BL": "977",
    "MF": "978",
    "WF": "986",
    "PF": "987",
    "NC": "988",
}


def right_to_withdraw(
    country: str, on: date, *, setting: Setting, consumer: bool, urgency: str | None, supplies: bool
) -> Withdrawal:
    """Whether somebody who accepts on that day may withdraw, and why; without the days that follow from the acceptance."""
    rule = rule_for(country, on)
    if rule is None:
        return Withdrawal(right=False, case="no_rule", urgency=urgency)
    if not consumer:
        return Withdrawal(right=False, case="business_buyer", urgency=urgency, reference=rule.reference)
    if urgency and not supplies and setting == "at_home":
        return Withdrawal(right=False, case="urgent_repair", urgency=urgency, reference=rule.urgent)
    case: WithdrawalCase = setting
    return Withdrawal(
        right=True,
        case=case,
        urgency=urgency,
        days=rule.days,
        counts_from="delivery" if supplies else "conclusion",
        reference=rule.reference,
    )


def concluded(withdrawal: Withdrawal, country: str, on: date, place: Address | None) -> Withdrawal:
    """The same once the estimate was accepted on that day of the place: what is counted from then is known."""
    rule = rule_for(country, on)
    if not withdrawal.right or rule is None or withdrawal.days is None:
        return withdrawal
    paid_after = on + timedelta(rule.no_payment_days) if withdrawal.case == "at_home" else None
    known = withdrawal.model_copy(update={"no_payment_until": paid_after})
    return _counted(known, on, place) if withdrawal.counts_from == "conclusion" else known


def delivered(withdrawal: Withdrawal, on: date, place: Address | None) -> Withdrawal:
    """The same once what was sold is delivered."""
    if not withdrawal.right or withdrawal.counts_from != "delivery":
        return withdrawal
    return _counted(withdrawal, on, place)


def no_payment_reference(country: str, on: date) -> str:
    """Where the law says that nothing is paid so soon after a contract that was concluded on that day."""
    rule = rule_for(country, on)
    return rule.no_payment if rule else ""


def rule_for(country: str, on: date) -> WithdrawalRule | None:
    """The rule for contracts concluded on that day; None where none is known."""
    known = (rule for rule in WITHDRAWAL_RULES if rule.country == country and rule.since <= on)
    return next(known, None)


def paid_back_by(country: str, on: date, withdrawn: date) -> date | None:
    """The last day to pay back what was paid for a contract of the day `on`, from which the client withdrew then."""
    rule = rule_for(country, on)
    return withdrawn + timedelta(rule.pay_back_days) if rule else None


def last_day(start: date, days: int, holidays: Container[date]) -> date:
    """So many days after `start`, which does not count; an end on a weekend or holiday moves to the next working day."""
    end = start + timedelta(days)
    while end.weekday() >= SATURDAY or end in holidays:
        end += DAY
    return end


def holidays_at(place: Address | None, country: str) -> Container[date]:
    """The public holidays of a place, local ones too; of the firm's country where no place is known."""
    if place is None:
        return _holidays(country, None)
    postcode = OVERSEAS.get(place.country, place.postcode)
    if place.country != "FR" and place.country not in OVERSEAS:
        return _holidays(place.country, None)
    return _holidays("FR", LOCAL.get(postcode[:3]) or LOCAL.get(postcode[:2]))


def _counted(withdrawal: Withdrawal, start: date, place: Address | None) -> Withdrawal:
    assert withdrawal.days is not None
    until = last_day(start, withdrawal.days, holidays_at(place, "FR"))
    return withdrawal.model_copy(update={"until": until})


@cache
def _holidays(country: str, subdivision: str | None) -> Container[date]:
    if country not in list_supported_countries():
        return ()
    return country_holidays(country, subdiv=subdivision)
