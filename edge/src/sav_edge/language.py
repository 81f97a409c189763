"""The language of a refusal, and the French titles of HTTP statuses."""

import re

TITLES = {
    400: "Requête incorrecte",
    401: "Connexion requise",
    403: "Accès refusé",
    404: "Introuvable",
    405: "Méthode non autorisée",
    408: "Requête trop lente",
    409: "Conflit",
    410: "N’existe plus",
    412: "Modifié entre-temps",
    413: "Requête trop volumineuse",
    415: "Type de contenu non pris en charge",
    422: "Données incorrectes",
    429: "Trop de requêtes",
    431: "En-têtes trop volumineux",
    500: "Erreur interne",
    503: "Service indisponible",
    504: "Délai dépassé",
}


def prefers_french(accept: str) -> bool:
    """Whether an Accept-Language prefers French to English (RFC 9110, 12.5.4). English is the default."""
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        language, _, weight = part.replace(" ", "").partition(";q=")
        name = language.partition("-")[0]
        if re.fullmatch(r"|0(\.\d{0,3})?|1(\.0{0,3})?", weight):
            weights[name] = max(float(weight or 1), weights.get(name, 0))
    french, english = (weights.get(name, weights.get("*", 0)) for name in ("fr", "en"))
    first = [name for name in weights if name in ("fr", "en")][:1]
    return french > english or (french == english > 0 and first == ["fr"])
