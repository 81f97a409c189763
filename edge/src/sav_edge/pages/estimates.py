"""The pages on which a client answers an estimate, and withdraws from one that was accepted."""

from sav_contracts.interventions.estimate import (
    AnswerEstimateByLink,
    GetEstimateByLink,
    GetWithdrawalByLink,
    WithdrawByLink,
)
from sav_contracts.sentences import Text
from sav_edge.pages.page import Field, Page

TEXTS = {
    "estimate": Text("Estimate", "Devis"),
    "for_whom": Text("For:", "Pour :"),
    "schedule": Text("Carried out:", "Exécution :"),
    "guarantees": Text("Guarantees:", "Garanties :"),
    "insurance": Text("Insurance:", "Assurance :"),
    "mediator": Text("Consumer mediator:", "Médiateur de la consommation :"),
    "description": Text("Description", "Désignation"),
    "net_amount": Text("Amount excl. VAT", "Montant HT"),
    "net": Text("Total excl. VAT", "Total HT"),
    "vat": Text("VAT", "TVA"),
    "stamp": Text("Stamp duty", "Timbre"),
    "total": Text("Total incl. VAT", "Total TTC"),
    "valid_until": Text("Valid until", "Valable jusqu’au"),
    "minutes": Text("{hours} h {minutes}", "{hours} h {minutes}"),
    "each": {
        "hour": Text("hour", "heure"),
        "piece": Text("piece", "unité"),
        "km": Text("km", "km"),
        "flat": Text("flat rate", "forfait"),
    },
    "covered": Text("warranty", "garantie"),
    "right": {
        "conclusion": Text(
            "You may withdraw without a reason within {days} days from your acceptance. A period that ends on a weekend or"
            " a public holiday lasts until the next working day.",
            "Vous pouvez vous rétracter sans motif dans un délai de {days} jours à compter de votre acceptation. Un délai"
            " qui finit un samedi, un dimanche ou un jour férié est prolongé jusqu’au premier jour ouvrable suivant.",
        ),
        "delivery": Text(
            "You may withdraw without a reason within {days} days from delivery. A period that ends on a weekend or a"
            " public holiday lasts until the next working day.",
            "Vous pouvez vous rétracter sans motif dans un délai de {days} jours à compter de la livraison. Un délai qui"
            " finit un samedi, un dimanche ou un jour férié est prolongé jusqu’au premier jour ouvrable suivant.",
        ),
    },
    "no_right": {
        "at_home": Text("There is no right to withdraw.", "Il n’y a pas de droit de rétractation."),
        "at_distance": Text("There is no right to withdraw.", "Il n’y a pas de droit de rétractation."),
        "urgent_repair": Text(
            "There is no right to withdraw: this is an urgent repair at your home, which you asked for.",
            "Il n’y a pas de droit de rétractation : il s’agit d’une réparation urgente à votre domicile, que vous avez"
            " demandée.",
        ),
        "business_buyer": Text(
            "There is no right to withdraw: the buyer is a business.",
            "Il n’y a pas de droit de rétractation : le client est un professionnel.",
        ),
        "no_rule": Text(
            "There is no right to withdraw: the law that applies has none.",
            "Il n’y a pas de droit de rétractation : la loi applicable n’en prévoit pas.",
        ),
    },
    "may_withdraw_until": Text("You may withdraw until", "Vous pouvez vous rétracter jusqu’au"),
    "link_to_withdraw": Text(
        "The message that confirms your acceptance has a link to withdraw from the contract.",
        "Le message qui confirme votre acceptation contient un lien pour renoncer au contrat.",
    ),
    "paper": Text("Download this estimate (PDF)", "Télécharger ce devis (PDF)"),
    "accept": Text("Accept this estimate", "Accepter ce devis"),
    "refuse": Text("Refuse", "Refuser"),
    "confirm": Text("Confirm the withdrawal", "Confirmer la rétractation"),
    "not_yet": Text(
        "Nothing is cancelled yet: please confirm.",
        "Rien n’est encore annulé : confirmez votre rétractation.",
    ),
    "receipt": Text(
        "We send you a receipt by e-mail, with content, day and time. Please keep it.",
        "Nous vous envoyons un accusé de réception par e-mail, avec le contenu, la date et l’heure. Conservez-le.",
    ),
    "statuses": {
        "draft": Text("It is being written.", "Il est en cours de rédaction."),
        "sent": Text("It waits for your answer.", "Il attend votre réponse."),
        "accepted": Text("The estimate is accepted.", "Le devis est accepté."),
        "refused": Text("The estimate is refused.", "Le devis est refusé."),
        "expired": Text(
            "The estimate has expired: ask us for another one.", "Le devis a expiré : demandez-en un autre."
        ),
        "superseded": Text(
            "A newer edition has taken its place: open our last message.",
            "Une édition plus récente le remplace : ouvrez notre dernier message.",
        ),
        "withdrawn": Text("You have withdrawn from this contract.", "Vous avez renoncé à ce contrat."),
    },
}
YES_OR_NO = (("true", Text("Yes", "Oui")), ("false", Text("No", "Non")))

PAGES = (
    Page(
        "estimate",
        AnswerEstimateByLink,
        Text("Your estimate", "Votre devis"),
        Text("Please accept or refuse it.", "Acceptez-le ou refusez-le."),
        # It says that whoever presses it has to pay (Code de la consommation, L221-14).
        Text("Accept, with the obligation to pay", "Accepter, avec obligation de paiement"),
        Text("Your answer is recorded", "Votre réponse est enregistrée"),
        Text("Thank you.", "Merci."),
        fields=(
            Field("accept", "button", Text("Answer", "Réponse")),
            Field(
                "keeps_parts",
                "choice",
                Text(
                    "Do you want to keep replaced parts?", "Souhaitez-vous conserver les pièces remplacées ?"
                ),
                required=False,
                options=YES_OR_NO,
            ),
            Field(
                "begins_early",
                "tick",
                Text(
                    "I expressly ask for the work to begin before the period to withdraw ends.",
                    "Je demande expressément que les travaux commencent avant la fin du délai de rétractation.",
                ),
                required=False,
            ),
            Field(
                "acknowledges_loss",
                "tick",
                Text(
                    "I acknowledge that I then pay for what is done until a withdrawal, and that the right to withdraw ends"
                    " once all the work is done.",
                    "Je reconnais que ce qui est fait jusqu’à une rétractation reste alors dû, et que le droit de"
                    " rétractation prend fin une fois tout exécuté.",
                ),
                required=False,
            ),
            Field("reason", "prose", Text("Your reason", "Votre motif"), required=False, most=500),
        ),
        shows=GetEstimateByLink,
        paper=True,
        template="estimate.html",
        texts=TEXTS,
    ),
    Page(
        "withdraw",
        WithdrawByLink,
        Text("Withdraw from the contract", "Renoncer au contrat"),
        Text("", ""),
        Text("Withdraw from the contract here", "Renoncer au contrat ici"),
        Text("You have withdrawn", "Votre rétractation est confirmée"),
        Text("You have withdrawn from this contract.", "Vous avez renoncé à ce contrat."),
        fields=(Field("confirm", "button", Text("Confirm", "Confirmer")),),
        shows=GetWithdrawalByLink,
        paper=True,
        template="withdraw.html",
        texts=TEXTS,
        ends_with="withdrawn",
    ),
)
