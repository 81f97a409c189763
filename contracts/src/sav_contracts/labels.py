"""The words for kinds of records, states and roles."""

from collections.abc import Collection

from sav_contracts.actor import Role
from sav_contracts.sentences import Text

# By the names in messages. States agree with « état ».
FRENCH = {
    "account": "compte",
    "appointment": "rendez-vous",
    "article": "article",
    "article_import": "import d’articles",
    "client": "client",
    "conflict": "conflit",
    "feedback": "avis",
    "intervention": "intervention",
    "invoice": "facture",
    "notification": "notification",
    "payment": "paiement",
    "photo": "photo",
    "policy": "règle",
    "product": "produit",
    "proof": "preuve d’achat",
    "reclamation": "réclamation",
    "report": "rapport",
    "session": "session",
    "signing_key": "clé de signature",
    "stock_level": "niveau de stock",
    "technician": "technicien",
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
    "planned": "planifié",
    "qualified": "qualifié",
    "queued": "en file d’attente",
    "read": "lu",
    "refunded": "remboursé",
    "refused": "refusé",
    "rejected": "rejeté",
    "reopened": "rouvert",
    "resolved": "résolu",
    "retired": "retiré",
    "running": "en cours d’exécution",
    "sent": "envoyé",
    "sent_back": "renvoyé",
    "signature_refused": "signature refusée",
    "signed": "signé",
    "submitted": "déposé",
    "suppressed": "non envoyé",
    "validated": "validé",
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
}
PEOPLE = {
    Role.ANYONE: Text("visitors", "les visiteurs"),
    Role.CLIENT: Text("clients", "les clients"),
    Role.TECHNICIAN: Text("technicians", "les techniciens"),
    Role.MANAGER: Text("managers", "les responsables SAV"),
    Role.ADMIN: Text("admins", "les administrateurs"),
}


def label(name: str) -> Text:
    """The words for a kind, a state or a role."""
    return Text(name.replace("_", " "), FRENCH.get(name, name))


def role_names(roles: Collection[Role]) -> Text:
    """The people in these roles: `clients, managers and admins`. SAV itself is left out."""
    *others, last = [called for role, called in PEOPLE.items() if role in roles]
    if not others:
        return last
    return Text(
        f"{', '.join(one.en for one in others)} and {last.en}",
        f"{', '.join(one.fr for one in others)} et {last.fr}",
    )
