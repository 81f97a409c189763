"""The page where a client says how a visit was."""

from sav_contracts.reporting import GetFeedbackByLink, GiveFeedbackByLink
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

RATINGS = (
    ("1", Text("1 – very bad", "1 – très mauvais")),
    ("2", Text("2 – bad", "2 – mauvais")),
    ("3", Text("3 – fair", "3 – moyen")),
    ("4", Text("4 – good", "4 – bien")),
    ("5", Text("5 – very good", "5 – très bien")),
)

PAGES = (
    Page(
        "feedback",
        GiveFeedbackByLink,
        Text("How was the visit?", "Comment s’est passée la visite ?"),
        Text(
            "Thank you for telling us. You can change your answer until the link expires.",
            "Merci de nous le dire. Vous pouvez changer votre réponse tant que le lien est valable.",
        ),
        Text("Send", "Envoyer"),
        Text("Thank you", "Merci"),
        Text(
            "We have your answer. It helps us do better.",
            "Nous avons votre réponse. Elle nous aide à mieux travailler.",
        ),
        fields=(
            Field("rating", "choice", Text("Your rating", "Votre note"), options=RATINGS),
            Field(
                "recommend",
                "choice",
                Text("Would you recommend us?", "Nous recommanderiez-vous ?"),
                hint=Text(
                    "From 0, certainly not, to 10, certainly.", "De 0, certainement pas, à 10, certainement."
                ),
                required=False,
                options=tuple((str(number), Text(str(number), str(number))) for number in range(11)),
            ),
            Field("comment", "prose", Text("Your comment", "Votre commentaire"), required=False, most=4000),
            Field(
                "contact_me",
                "tick",
                Text("Please call me back about it", "Rappelez-moi à ce sujet"),
                required=False,
            ),
        ),
        shows=GetFeedbackByLink,
        template="feedback.html",
        texts={"visit": Text("Visit", "Visite"), "of": Text("of", "du")},
    ),
)
