"""What somebody reads who comes back from the payment provider, where no frontend is set."""

from sav_contracts.sentences import Text
from sav_edge.pages.page import Notice

BACK_FROM_PAYMENT = Notice(
    Text("Your payment", "Votre paiement"),
    Text(
        "If you have paid, the invoice shows it as soon as the payment is confirmed to us. If you gave up, nothing was paid."
        " You can close this page.",
        "Si vous avez payé, la facture l’indique dès que le paiement nous est confirmé. Si vous avez renoncé, rien n’a été payé."
        " Vous pouvez fermer cette page.",
    ),
)
