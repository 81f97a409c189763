"""Invoices that go beyond the estimate that their client accepted: a manager says why before one is issued."""

from decimal import Decimal

from sav_chassis.errors import Conflict, WrongField
from sav_contracts.interventions.invoice import Agreed


class AboveEstimate(Conflict):
    """More is billed, or was done, than the client agreed to: a manager says why before it is issued."""

    code = "above_estimate"
    estimate: str
    en = (
        "It goes beyond the accepted estimate {estimate}: correct the lines, and say why more is billed, "
        "or why what was done beyond it is not (above_estimate)"
    )
    fr = (
        "Cette facture dépasse le devis accepté {estimate} : corrigez les lignes et indiquez pourquoi davantage est "
        "facturé, ou pourquoi ce qui a été fait en plus ne l’est pas (above_estimate)"
    )


class NotFromEstimate(WrongField):
    field: str = "above_estimate"
    en = "this draft is made from no accepted estimate"
    fr = "ce brouillon ne provient d’aucun devis accepté"


def is_above(agreed: Agreed | None, net: Decimal, tax: Decimal) -> bool:
    """Whether more is billed, with VAT or without, or was done than the client agreed to, and no manager has said why."""
    if agreed is None or agreed.reason is not None:
        return False
    dearer = agreed.gross is not None and net + tax > agreed.gross
    return bool(agreed.beyond) or net > agreed.net or dearer


def explained(agreed: Agreed | None, why: str) -> Agreed:
    """The same with why it goes beyond the estimate; raises `NotFromEstimate` where there is none."""
    if agreed is None:
        raise NotFromEstimate
    return agreed.model_copy(update={"reason": why})


def check_explained(agreed: Agreed | None, net: Decimal, tax: Decimal) -> None:
    """Raises `AboveEstimate` where nobody has said why it goes beyond the estimate."""
    if agreed and is_above(agreed, net, tax):
        raise AboveEstimate(estimate=agreed.estimate)
