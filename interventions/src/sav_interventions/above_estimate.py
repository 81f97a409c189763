"""Invoices that go beyond what their client agreed to: a manager says why before one is issued."""

from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from sav_chassis.errors import Conflict, WrongField
from sav_contracts.interventions.invoice import Agreed, Lack, Unestimated

if TYPE_CHECKING:
    from sav_interventions.model import Invoice

Said = TypeVar("Said", Agreed, Unestimated)


class AboveEstimate(Conflict):
    """More is billed, or was done, than the client agreed to: a manager says why before it is issued."""

    code = "above_estimate"
    estimate: str
    en = (
        "It goes beyond the accepted estimate {estimate}: correct the lines, and say why more is billed, "
        "or why what was done beyond it is not (above_estimate)"
    )
    fr = (
        "Cette facture dépasse le devis accepté {estimate}\N{NO-BREAK SPACE}: corrigez les lignes et indiquez pourquoi davantage est "
        "facturé, ou pourquoi ce qui a été fait en plus ne l’est pas (above_estimate)"
    )


class AboveWithdrawn(Conflict):
    """After a withdrawal a part of the agreed price is owed, whatever a manager says (Code de la consommation, L221-25)."""

    code = "above_withdrawn"
    estimate: str
    en = "Its client withdrew from {estimate}: at most the agreed price is owed. Correct the lines"
    fr = "Le client s’est rétracté du devis {estimate}\N{NO-BREAK SPACE}: il doit au plus le prix convenu. Corrigez les lignes"


class AboveOrder(Conflict):
    """More is billed than the order costs its buyer: a manager says why before it is issued."""

    code = "above_order"
    gross: Decimal
    currency: str
    en = (
        "The buyer agreed to pay {gross} {currency} for the order: correct the lines, or say why more is billed "
        "(above_estimate)"
    )
    fr = (
        "L’acheteur s’est engagé à payer {gross} {currency} pour la commande\N{NO-BREAK SPACE}: corrigez les lignes, ou indiquez pourquoi "
        "davantage est facturé (above_estimate)"
    )


class NoAgreement(Conflict):
    """A consumer pays for work of which they accepted an estimate (arrêté du 24 janvier 2017)."""

    code = "no_agreement"
    en = (
        "Its client accepted no estimate before this work was done: say why it is billed (above_estimate), or discard "
        "the draft"
    )
    fr = (
        "Le client n’a accepté aucun devis avant que ces travaux ne soient faits\N{NO-BREAK SPACE}: indiquez pourquoi ils "
        "sont facturés (above_estimate), ou abandonnez le brouillon"
    )


class NotFromEstimate(WrongField):
    field: str = "above_estimate"
    en = (
        "nothing is to be explained: this draft is of no estimate, of no order, and of no work that needs one"
    )
    fr = "rien n’est à expliquer\N{NO-BREAK SPACE}: ce brouillon ne provient ni d’un devis, ni d’une commande, ni de travaux qui en demandent un"


def above(asked: "Invoice") -> Lack | None:
    """What lacks where more is billed, with VAT or without, or was done than was agreed to, and no manager said why."""
    agreed, other = asked.agreed, asked.unestimated
    if agreed and agreed.reason is None and (agreed.beyond or is_dearer(asked, agreed)):
        return "above_estimate"
    if other is None or other.reason is not None:
        return None
    if other.gross is None:
        return None if asked.buyer.is_business else "no_agreement"
    # The price of an order has its stamp in it, that of an estimate has not.
    return "above_order" if asked.total > other.gross else None


def is_dearer(asked: "Invoice", agreed: Agreed) -> bool:
    """Whether more is billed than the estimate, with VAT or without."""
    dearer = agreed.gross is not None and asked.net + asked.tax > agreed.gross
    return dearer or asked.net > agreed.net


def with_reason(said: Said | None, why: str | None) -> Said | None:
    """The same with why it goes beyond what was agreed to."""
    return said.model_copy(update={"reason": why}) if said else None


def check_explained(asked: "Invoice") -> None:
    """Raises where nobody has said why it goes beyond the estimate or the order, or is billed without any."""
    agreed, other = asked.agreed, asked.unestimated
    match above(asked):
        case "above_estimate" if agreed:
            raise AboveEstimate(estimate=agreed.estimate)
        case "above_order" if other and other.gross is not None:
            raise AboveOrder(gross=other.gross, currency=asked.currency)
        case "no_agreement":
            raise NoAgreement
