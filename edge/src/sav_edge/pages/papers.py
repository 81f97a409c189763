"""The page from which a client downloads the paper that a mail tells of, and pays an invoice."""

from sav_contracts.interventions.paper import GetPaperByLink, PayByLink
from sav_contracts.sentences import Text
from sav_edge.pages.page import Page

TITLE = Text("Your document", "Votre document")

PAGES = (
    Page(
        "paper",
        PayByLink,
        TITLE,
        Text("", ""),
        Text("Pay online", "Payer en ligne"),
        Text("Your payment", "Votre paiement"),
        Text("", ""),
        shows=GetPaperByLink,
        paper=True,
        template="paper.html",
        texts={
            "kinds": {
                "invoice": Text("Your invoice", "Votre facture"),
                "credit_note": Text("Your credit note", "Votre avoir"),
                "report": Text("The report of your visit", "Le rapport de votre visite"),
                "estimate": Text("The estimate that you accepted", "Le devis que vous avez accepté"),
                "attestation": Text("The attestation of the service", "L’attestation d’entretien"),
            },
            "download": Text("Download it (PDF)", "Télécharger (PDF)"),
            "to_pay": Text("Left to pay:", "Reste à payer :"),
            "go_on": Text("Go on to the payment", "Continuer vers le paiement"),
            "in_the_making": Text(
                "It is still being made: open this page again in a moment.",
                "Il est encore en préparation : rouvrez cette page dans un instant.",
            ),
        },
    ),
)
