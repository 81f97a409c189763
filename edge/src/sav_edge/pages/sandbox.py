"""The page on which somebody pays in the sandbox, the payment provider that moves no money."""

from sav_contracts.interventions.payment import GetSandboxCheckout, PayInSandbox
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

PAGES = (
    Page(
        "sandbox/checkout",
        PayInSandbox,
        Text("Payment (trial)", "Paiement (essai)"),
        Text(
            "This is a trial: no money is moved. Choose what is to become of it.",
            "Ceci est un essai : aucune somme n’est prélevée. Choisissez ce qui doit se passer.",
        ),
        Text("Pay", "Payer"),
        Text("Your payment (trial)", "Votre paiement (essai)"),
        Text("You can close this page.", "Vous pouvez fermer cette page."),
        fields=(Field("outcome", "button", Text("Outcome", "Issue")),),
        key="checkout_id",
        shows=GetSandboxCheckout,
        template="sandbox.html",
        texts={
            "invoice": Text("Invoice", "Facture"),
            "again": Text(
                "The invoice is still to be paid: open it again from our message, which says how.",
                "La facture reste à payer : rouvrez-la depuis notre message, qui indique comment.",
            ),
            "outcomes": {
                "failed": Text("The payment fails", "Le paiement échoue"),
                "cancelled": Text("Give up", "Abandonner"),
            },
            "statuses": {
                "captured": Text("The invoice is paid.", "La facture est payée."),
                "failed": Text(
                    "The payment failed: nothing was paid.", "Le paiement a échoué : rien n’a été payé."
                ),
                "expired": Text("Nothing was paid.", "Rien n’a été payé."),
                "partly_refunded": Text("Part of it was paid back.", "Une partie a été remboursée."),
                "refunded": Text("It was paid back.", "Le paiement a été remboursé."),
                "disputed": Text("The payment is disputed.", "Le paiement est contesté."),
            },
        },
    ),
)
