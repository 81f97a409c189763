"""A client who is told what a manager decided about a warranty reads why."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sav_contracts.auth.fields import Locale
from sav_contracts.catalog.warranty import Warranty
from sav_notifier.rendering import rendered

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WHY = "Calcaire dans l’échangeur."
WORDS: dict[Locale, tuple[str, str]] = {
    "fr": ("à votre charge", "c’est au vendeur de prouver"),
    "en": ("at your expense", "it is for the seller to prove"),
}


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize(
    ("shares", "paid"), [((100, 100, 100), True), ((100, 50, 0), False), ((0, 0, 0), False)]
)
def test_of_a_visit(locale: Locale, shares: tuple[int, int, int], paid: bool) -> None:
    decided = Warranty.by_manager(shares, WHY, NOW, None)
    facts: dict[str, Any] = {
        **{
            "reference": "REC-2026-000100",
            "article": "Chaudière",
            "company": "SAV",
            "contact": "",
            "site": "",
            "reason": WHY,
        },
        **{"decision": decided.decision, "parts": shares[0], "labour": shares[1], "travel": shares[2]},
    }
    text = rendered("warranty_decided", locale, "Léa", facts).text
    assert WHY in text
    assert all((said in text) is not paid for said in WORDS[locale])
    assert ("50" in text) is (shares[1] == 50)


@pytest.mark.parametrize("locale", ["fr", "en"])
@pytest.mark.parametrize("told", [True, False])
def test_of_a_reclamation_unless_the_reason_was_given_for_staff(locale: Locale, told: bool) -> None:
    decided = Warranty.by_manager((0, 0, 0), WHY, NOW, None).model_copy(update={"reason_told": told})
    facts: dict[str, Any] = {
        **{
            "reference": "REC-2026-000100",
            "article": "Chaudière",
            "company": "SAV",
            "contact": "",
            "site": "",
        },
        **{"coverage": "not_covered", "warranty": decided.model_dump(mode="json"), "again": False},
    }
    assert (WHY in rendered("reclamation_qualified", locale, "Léa", facts).text) is told
