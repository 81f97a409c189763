"""The states of an article, of an import of articles, of a product's proof of purchase, and of a reservation."""

from sav_chassis.lifecycle import Lifecycle
from sav_contracts.actor import MANAGERS, Role
from sav_contracts.catalog.article import ArticleStatus
from sav_contracts.catalog.article_import import ArticleImportStatus
from sav_contracts.catalog.product import ProofState
from sav_contracts.catalog.reservation import ReservationStatus

ARTICLE: Lifecycle[ArticleStatus] = Lifecycle(
    "article",
    {
        ("active", "end_of_life"): MANAGERS,
        ("end_of_life", "active"): MANAGERS,
        ("active", "retired"): MANAGERS,
        ("end_of_life", "retired"): MANAGERS,
    },
)

BY_ITSELF = {Role.SYSTEM}

ARTICLE_IMPORT: Lifecycle[ArticleImportStatus] = Lifecycle(
    "article_import",
    {
        ("queued", "checking"): BY_ITSELF,
        ("checking", "running"): BY_ITSELF,
        ("checking", "refused"): BY_ITSELF,
        # A dry run.
        ("checking", "done"): BY_ITSELF,
        ("running", "done"): BY_ITSELF,
        ("queued", "cancelled"): MANAGERS,
        ("checking", "cancelled"): MANAGERS,
        ("running", "cancelled"): MANAGERS,
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
        # What was read from it is corrected.
        ("accepted", "accepted"): MANAGERS,
    },
)

BY_EVENT = {Role.SYSTEM}

RESERVATION: Lifecycle[ReservationStatus] = Lifecycle(
    "reservation",
    {
        ("back_ordered", "reserved"): BY_EVENT,
        # Its line grew, and the stock has not enough for all of it.
        ("reserved", "back_ordered"): BY_EVENT,
        ("reserved", "used"): BY_EVENT,
        # Pieces from elsewhere were built in.
        ("back_ordered", "used"): BY_EVENT,
        ("reserved", "released"): BY_EVENT,
        ("back_ordered", "released"): BY_EVENT,
        # Its line needs more, or is needed again.
        ("used", "back_ordered"): BY_EVENT,
        ("released", "back_ordered"): BY_EVENT,
    },
)
