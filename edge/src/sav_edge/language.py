"""The language of refusals and of answers that hold sentences, and the French titles of HTTP statuses."""

import re

from pydantic import BaseModel

from sav_contracts.bilingual import Bilingual

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
    weights = _weights(accept)
    french, english = (weights.get(name, weights.get("*", 0)) for name in ("fr", "en"))
    first = [name for name in weights if name in ("fr", "en")][:1]
    return french > english or (french == english > 0 and first == ["fr"])


def names_a_language(accept: str) -> bool:
    """Whether an Accept-Language says something of French or English."""
    return not _weights(accept).keys().isdisjoint(("fr", "en"))


def _weights(accept: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        language, _, weight = part.replace(" ", "").partition(";q=")
        name = language.partition("-")[0]
        if re.fullmatch(r"|0(\.\d{0,3})?|1(\.0{0,3})?", weight):
            weights[name] = max(float(weight or 1), weights.get(name, 0))
    return weights


def spoken(
    reply: type[BaseModel], body: str | None, accepted: str | None, headers: dict[str, str]
) -> str | None:
    """The body of an answer. One that holds sentences is in the language that the caller prefers."""
    if body is None or not issubclass(reply, Bilingual):
        return body
    french = prefers_french(accepted or "")
    headers |= {"Content-Language": "fr" if french else "en", "Vary": "Accept-Language"}
    return reply.model_validate_json(body).spoken(french).model_dump_json()
