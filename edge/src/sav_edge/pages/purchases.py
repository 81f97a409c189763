"""The page on which a client withdraws from what they bought (Code de la consommation, L221-21)."""

from sav_contracts.claims.order import GetOrderWithdrawalByLink, WithdrawFromOrderByLink
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

TEXTS = {
    "order": Text("Order", "Commande"),
    "of": Text("of", "du"),
    "to": Text("To:", "À l’attention de :"),
    "in_the_name_of": Text("In the name of:", "Au nom de :"),
    "article": Text("Article", "Article"),
    "quantity": Text("Quantity", "Quantité"),
    "net": Text("Total excl. VAT", "Total HT"),
    "gross": Text("Total incl. VAT", "Total TTC"),
    "until": Text(
        "You may withdraw without a reason until", "Vous pouvez vous rétracter sans motif jusqu’au"
    ),
    "from_receipt": Text(
        "You may withdraw without a reason until {days} days after you have received the goods; of several, the last one.",
        "Vous pouvez vous rétracter sans motif jusqu’à {days} jours après avoir reçu les articles ; s’il y en"
        " a plusieurs, le dernier d’entre eux.",
    ),
    "cancels": Text(
        "The order is not shipped: it is cancelled then, and you owe nothing for it.",
        "La commande n’est pas expédiée : elle est alors annulée, et vous ne devez rien à ce titre.",
    ),
    "goes_back": Text(
        "Send the goods back to {firm} within fourteen days of your withdrawal; the direct cost of returning them is yours.",
        "Renvoyez les articles à {firm} dans les quatorze jours qui suivent votre rétractation ; les frais directs de renvoi"
        " sont à votre charge.",
    ),
    "paid_back": Text(
        "All that you paid for this order, standard delivery included, is paid back by the means by which you paid",
        "Tout ce que vous avez payé pour cette commande, livraison standard comprise, est remboursé par le moyen de"
        " paiement que vous avez utilisé",
    ),
    "if_today": Text("if you withdraw today, by", "si vous vous rétractez aujourd’hui, au plus tard le"),
    "by": Text("by", "au plus tard le"),
    "may_wait": Text(
        "We may wait until we have the goods, or the proof that you sent them.",
        "Nous pouvons attendre d’avoir récupéré les articles, ou d’avoir la preuve de leur envoi.",
    ),
    "confirm": Text("Confirm the withdrawal", "Confirmer la rétractation"),
    "not_yet": Text(
        "Nothing is cancelled yet: please confirm.",
        "Rien n’est encore annulé : confirmez votre rétractation.",
    ),
    "over": Text("The right to withdraw ended on", "Le délai de rétractation a pris fin le"),
    "cancelled": Text(
        "This order was cancelled: there is nothing to withdraw from.",
        "Cette commande a été annulée : il n’y a plus de contrat auquel renoncer.",
    ),
    "refused": Text(
        "This order was refused: there is nothing to withdraw from.",
        "Cette commande a été refusée : il n’y a pas de contrat auquel renoncer.",
    ),
    "withdrawn": Text("You withdrew from this purchase on", "Vous avez renoncé à cet achat le"),
    "is_cancelled": Text(
        "The order is cancelled, and you owe nothing for it.",
        "La commande est annulée, et vous ne devez rien à ce titre.",
    ),
    "came_back": Text("We have had the goods back since", "Nous avons récupéré les articles le"),
    "receipt": Text(
        "We send you a receipt by e-mail, with content, day and time. Please keep it.",
        "Nous vous envoyons un accusé de réception par e-mail, avec le contenu, la date et l’heure. Conservez-le.",
    ),
}

PAGES = (
    Page(
        "withdraw-order",
        WithdrawFromOrderByLink,
        Text("Withdraw from the contract", "Renoncer au contrat"),
        Text("", ""),
        Text("Withdraw from the contract here", "Renoncer au contrat ici"),
        Text("You have withdrawn", "Votre rétractation est confirmée"),
        Text("You have withdrawn from this purchase.", "Vous avez renoncé à cet achat."),
        fields=(Field("confirm", "button", Text("Confirm", "Confirmer")),),
        shows=GetOrderWithdrawalByLink,
        template="withdraw_order.html",
        texts=TEXTS,
        ends_with="withdrawn",
    ),
)
