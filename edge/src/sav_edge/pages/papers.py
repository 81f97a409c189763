"""The page from which a client downloads an invoice, a credit note or a report that a mail tells of."""

from sav_contracts.interventions.paper import GetPaperByLink
from sav_contracts.sentences import Text
from sav_edge.pages.page import Page

TITLE = Text("Your document", "Votre document")
DOWNLOAD = Text("Download it (PDF)", "Télécharger (PDF)")

PAGES = (
    Page(
        "paper",
        GetPaperByLink,
        TITLE,
        Text("", ""),
        DOWNLOAD,
        TITLE,
        Text("", ""),
        shows=GetPaperByLink,
        paper=True,
        template="paper.html",
        texts={
            "kinds": {
                "invoice": Text("Your invoice", "Votre facture"),
                "credit_note": Text("Your credit note", "Votre avoir"),
                "report": Text("The report of your visit", "Le rapport de votre visite"),
            },
            "in_the_making": Text(
                "It is still being made: open this page again in a moment.",
                "Il est encore en préparation : rouvrez cette page dans un instant.",
            ),
        },
    ),
)
