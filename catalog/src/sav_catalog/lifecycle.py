"""The states of an article, and of a product's proof of purchase."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, Role
from sav_contracts.catalog.article import ArticleStatus
from sav_contracts.catalog.product import ProofState

ARTICLE: Lifecycle[ArticleStatus] = Lifecycle(
    "article",
    {
        ("active", "end_of_life"): MANAGERS,
        ("end_of_life", "active"): MANAGERS,
        ("active", "retired"): MANAGERS,
        ("end_of_life", "retired"): MANAGERS,
    },
)

WHO_SENDS = MANAGERS | {Role.CLIENT}

PROOF: Lifecycle[ProofState] = Lifecycle(
    "proof",
    {
        ("none", "submitted"): WHO_SENDS,
        ("refused", "submitted"): WHO_SENDS,
        # Another proof replaces the first while no manager has decided.
        ("submitted", "submitted"): WHO_SENDS,
        ("submitted", "accepted"): MANAGERS,
        ("submitted", "refused"): MANAGERS,
    },
)
