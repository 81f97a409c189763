"""The page on which a client chooses another time for a visit whose time cannot be kept."""

from sav_contracts.calendar.offer import ChooseTime, GetOfferByLink
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

TEXTS = {
    "visit": Text("Visit", "Visite"),
    "instead_of": Text("The technician cannot come as planned:", "Le technicien prévu ne peut pas venir :"),
    "with": Text("with", "avec"),
    "none": Text(
        "None of these times is free any more: please call us.",
        "Aucun de ces créneaux n’est encore libre : appelez-nous.",
    ),
}

PAGES = (
    Page(
        "times",
        ChooseTime,
        Text("Another time for your visit", "Un autre créneau pour votre visite"),
        Text(
            "Please choose when the technician may arrive.",
            "Choisissez quand le technicien peut arriver.",
        ),
        Text("Choose this time", "Choisir ce créneau"),
        Text("Your choice is recorded", "Votre choix est enregistré"),
        Text("Thank you. We will confirm it by e-mail.", "Merci. Nous vous le confirmons par e-mail."),
        fields=(Field("choice", "button", Text("Time", "Créneau")),),
        shows=GetOfferByLink,
        template="times.html",
        texts=TEXTS,
    ),
)
