"""The words for kinds of records, states and roles."""

from collections.abc import Collection, Iterable, Mapping

from sav_contracts.actor import Role
from sav_contracts.sentences import Text

# By the names in messages. States agree with « état ».
FRENCH = {
    "account": "compte",
    "appointment": "rendez-vous",
    "article": "article",
    "article_cost": "prix d’achat",
    "article_import": "import d’articles",
    "attestation": "attestation",
    "client": "client",
    "client_credit": "crédit du client",
    "closing": "clôture",
    "comment": "commentaire",
    "cover": "garantie",
    "conflict": "conflit",
    "estimate": "devis",
    "credit_note": "avoir",
    "feedback": "avis",
    "intervention": "intervention",
    "invoice": "facture",
    "invoice_margin": "marge d’une facture",
    "note": "note",
    "notification": "notification",
    "order": "commande",
    "payment": "paiement",
    "photo": "photo",
    "policy": "règle",
    "product": "produit",
    "proof": "preuve d’achat",
    "reclamation": "réclamation",
    "report": "rapport",
    "reservation": "réservation",
    "saved_filter": "filtre",
    "session": "session",
    "signing_key": "clé de signature",
    "stock_level": "niveau de stock",
    "stocktake": "inventaire",
    "technician": "technicien",
    "visit_photo": "photo de l’intervention",
    "warranty": "garantie",
    "working_hours": "horaires de travail",
    "mon": "lundi",
    "tue": "mardi",
    "wed": "mercredi",
    "thu": "jeudi",
    "fri": "vendredi",
    "sat": "samedi",
    "sun": "dimanche",
    "accepted": "accepté",
    "active": "actif",
    "archived": "archivé",
    "assigned": "attribué",
    "awaiting_client": "en attente du client",
    "awaiting_parts": "en attente de pièces",
    "back_ordered": "en attente de réapprovisionnement",
    "booked": "réservé",
    "cancelled": "annulé",
    "captured": "encaissé",
    "checking": "en cours de vérification",
    "closed": "clôturé",
    "completed": "terminé",
    "credited": "annulé par un avoir",
    "dead": "abandonné après plusieurs essais",
    "deactivated": "désactivé",
    "declined": "décliné",
    "delivered": "remis",
    "discarded": "abandonné",
    "disputed": "contesté",
    "done": "effectué",
    "due": "à établir",
    "made": "établi",
    "draft": "brouillon",
    "en_route": "en route",
    "end_of_life": "en fin de vie",
    "expired": "expiré",
    "failed": "échoué",
    "given": "donné",
    "held": "retenu",
    "in_progress": "en cours",
    "incomplete": "inachevé",
    "initiated": "engagé",
    "invited": "invité",
    "issued": "émis",
    "kept_locally": "conservé sur place",
    "merged": "fusionné",
    "moot": "sans objet",
    "no_access": "sans accès",
    "no_show": "client absent",
    "none": "aucun",
    "on_site": "sur place",
    "open": "ouvert",
    "paid": "payé",
    "partly_paid": "payé en partie",
    "partly_refunded": "remboursé en partie",
    "paused": "en pause",
    "placed": "déposé",
    "planned": "planifié",
    "qualified": "qualifié",
    "queued": "en file d’attente",
    "read": "lu",
    "received": "reçu",
    "refunded": "remboursé",
    "refused": "refusé",
    "rejected": "rejeté",
    "released": "libéré",
    "reopened": "rouvert",
    "reserved": "réservé",
    "resolved": "résolu",
    "retired": "retiré",
    "running": "en cours d’exécution",
    "sent": "envoyé",
    "sent_back": "renvoyé",
    "shipped": "expédié",
    "signature_refused": "signature refusée",
    "signed": "signé",
    "submitted": "déposé",
    "superseded": "remplacé",
    "suppressed": "non envoyé",
    "used": "utilisé",
    "validated": "validé",
    "withdrawn": "rétracté",
    "covered": "pris en charge",
    "partly": "pris en charge en partie",
    "not_covered": "non pris en charge",
    "unknown": "indéterminé",
    "no_product": "aucun produit enregistré",
    "proof_not_accepted": "preuve d’achat non acceptée",
    "covers_ended": "garanties échues",
    "no_cover_yet": "garantie pas encore commencée",
    "cover_applies": "garantie applicable",
    "decided_by_manager": "décision d’un responsable SAV",
    "no_fault": "aucune panne à prendre en charge",
    "sold_by_another": "vendu par un autre professionnel",
    "defect_to_be_proven": "défaut à prouver par l’acheteur",
    "replaced": "appareil remplacé",
    "sanitary": "sanitaire",
    "heating": "chauffage",
    "gas": "gaz",
    "oil": "fioul",
    "wood": "bois",
    "electric": "électricité",
    "heat_pump": "pompe à chaleur",
    "solar": "solaire",
    "buyer_address": "adresse du client",
    "parts": "pièces",
    "access": "accès",
    "approval": "accord du client",
    "estimate_refused": "devis refusé",
    "stopped_for_safety": "arrêt par sécurité",
    "other": "autre motif",
    "seller_email": "adresse e-mail de l’entreprise",
    "mediator": "médiateur de la consommation",
    "place": "lieu des travaux",
    "place_abroad": "lieu à l’étranger, dont la TVA n’est pas connue ici",
}
# Where people call it otherwise than messages do.
ENGLISH = {"reclamation": "claim"}
PEOPLE = {
    Role.ANYONE: Text("visitors", "les visiteurs"),
    Role.CLIENT: Text("clients", "les clients"),
    Role.TECHNICIAN: Text("technicians", "les techniciens"),
    Role.MANAGER: Text("managers", "les responsables SAV"),
    Role.ADMIN: Text("admins", "les administrateurs"),
}


def label(name: str) -> Text:
    """The words for a kind, a state or a role."""
    return Text(ENGLISH.get(name, name.replace("_", " ")), FRENCH.get(name, name))


def labels(names: Iterable[str]) -> Text:
    """The words for several, with commas."""
    words = [label(name) for name in names]
    return Text(", ".join(one.en for one in words), ", ".join(one.fr for one in words))


def choices(words: Mapping[str, str]) -> Text:
    """Values to choose from, as programs send them, each behind its words: `“parts” (parts)`."""
    return Text(
        ", ".join(f"“{label(name).en}” ({name})" for name in words),
        ", ".join(f"«\N{NO-BREAK SPACE}{fr}\N{NO-BREAK SPACE}» ({name})" for name, fr in words.items()),
    )


def role_names(roles: Collection[Role]) -> Text:
    """The people in these roles: `clients, managers and admins`. SAV itself is left out."""
    *others, last = [called for role, called in PEOPLE.items() if role in roles]
    if not others:
        return last
    return Text(
        f"{', '.join(one.en for one in others)} and {last.en}",
        f"{', '.join(one.fr for one in others)} et {last.fr}",
    )
