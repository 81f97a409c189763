"""The page that the code on a unit's label opens: its owner reports a fault of it."""

from sav_chassis.errors import Malformed
from sav_contracts.claims.problems import LABELS, QUESTIONS
from sav_contracts.claims.reclamation import OpenReclamation
from sav_contracts.sentences import Text
from sav_edge.pages.page import CREDENTIALS, Field, Page


class LabelIncomplete(Malformed):
    en = "This link is incomplete: scan the code on the label again"
    fr = "Ce lien est incomplet : scannez de nouveau le code de l’étiquette"


PAGES = (
    Page(
        "report",
        OpenReclamation,
        Text("Report a fault", "Signaler une panne"),
        Text(
            "What is wrong with the appliance whose label you scanned? Its owner reports it here, with their account.",
            "Que se passe-t-il avec l’appareil dont vous avez scanné l’étiquette ? Son propriétaire le signale ici, avec son compte.",
        ),
        Text("Report it", "Signaler"),
        Text("We have your report", "Nous avons votre signalement"),
        Text(
            "We write to you when somebody has looked at it.",
            "Nous vous écrirons dès que quelqu’un l’aura examiné.",
        ),
        fields=(
            *(
                Field(f"safety.{danger}", "tick", Text(asked.en, asked.fr), required=False)
                for danger, asked in QUESTIONS.items()
            ),
            Field(
                "problem_type",
                "choice",
                Text("What is it?", "De quoi s’agit-il ?"),
                options=tuple((name, Text(said.en, said.fr)) for name, said in LABELS.items()),
            ),
            Field("description", "prose", Text("Describe it", "Décrivez la panne"), most=4000),
            *CREDENTIALS,
        ),
        signs_in=True,
        key="product",
        key_field="product_id",
        incomplete=LabelIncomplete,
        template="report.html",
    ),
)
