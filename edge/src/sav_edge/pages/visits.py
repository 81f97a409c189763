"""The page on which a client confirms, moves or cancels a visit."""

from sav_contracts.calendar.visit_link import AnswerVisitByLink, GetVisitByLink
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

PAGES = (
    Page(
        "visit",
        AnswerVisitByLink,
        Text("Your appointment", "Votre rendez-vous"),
        Text("", ""),
        Text("I will be there", "Je serai là"),
        Text("Your answer is recorded", "Votre réponse est enregistrée"),
        Text("Thank you.", "Merci."),
        fields=(
            Field("answer", "button", Text("Answer", "Réponse")),
            Field("start", "choice", Text("Another time", "Un autre créneau"), required=False),
            Field("reason", "prose", Text("Your reason", "Votre motif"), required=False, most=500),
            Field("seen", "hidden", Text("What you have read", "Ce que vous avez lu"), required=False),
        ),
        outdated=("visit_changed", "visit_unsettled"),
        shows=GetVisitByLink,
        picks=(Field("from", "date", Text("Times from this day on", "Créneaux à partir de ce jour")),),
        template="visit.html",
        texts={
            "visit": Text("For {reference}", "Pour {reference}"),
            "comes": Text("{technician} arrives:", "{technician} arrive :"),
            "somebody": Text("The technician", "Le technicien"),
            "confirmed": Text("You said that you will be there.", "Vous avez confirmé votre présence."),
            "move": Text("Move it", "Déplacer"),
            "see": Text("Show these times", "Afficher ces créneaux"),
            "final": Text(
                "Once it is chosen, it cannot be moved or cancelled here any more.",
                "Une fois choisi, il ne pourra plus être déplacé ni annulé ici.",
            ),
            "cancel": Text("Cancel it", "Annuler"),
            "cancel_it": Text("Cancel the appointment", "Annuler le rendez-vous"),
            "too_late": Text(
                "It cannot be moved or cancelled here any more: please call us.",
                "Il ne peut plus être déplacé ou annulé ici : appelez-nous.",
            ),
            "no_times": Text(
                "No other time is free from this day on: choose another day, or call us.",
                "Aucun autre créneau n’est libre à partir de ce jour : choisissez un autre jour, ou appelez-nous.",
            ),
            "unsettled": Text(
                "We are checking this appointment and will come back to you.",
                "Nous vérifions ce rendez-vous et revenons vers vous.",
            ),
            "asked": Text(
                "The technician cannot come as planned: we have sent you a message with times to choose from.",
                "Le technicien prévu ne peut pas venir : nous vous avons envoyé un message avec des créneaux au choix.",
            ),
            "choose": Text("Choose another time", "Choisir un autre créneau"),
            "statuses": {
                "cancelled": Text(
                    "This appointment is cancelled: nobody comes at that time.",
                    "Ce rendez-vous est annulé : personne ne viendra à ce moment-là.",
                ),
                "done": Text("This visit took place.", "Cette intervention a eu lieu."),
                "no_show": Text("This visit did not take place.", "Cette intervention n’a pas eu lieu."),
            },
        },
    ),
)
