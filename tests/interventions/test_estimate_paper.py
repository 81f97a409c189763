"""The paper of an estimate: all that the law asks of it (arrêté du 24 janvier 2017), and the notice of the right to withdraw."""

from decimal import Decimal
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
import pytest
import world
from given_billing import SUPPLY, VALVE_LINE, client, home, line
from given_estimates import billed, estimate, event_of, right, write
from given_interventions import NOW, valve
from given_papers import FIRM
from papers import text_of

from sav_chassis.testing import Stage
from sav_chassis.written import day
from sav_contracts.auth.fields import Locale
from sav_contracts.interventions.estimate import EstimateWritten
from sav_contracts.interventions.invoice import Buyer
from sav_contracts.interventions.line import LineGiven
from sav_interventions.estimate_pdf import estimate_pdf

BUSINESS = Buyer(
    name="Boulangerie Roux SARL", address="8 place Bellecour", kind="business", siren="552100554"
)


def printed(locale: Locale = "fr", **fields: Any) -> str:
    made = estimate(version=1, **({"seller": FIRM} | fields))
    made.created_at = made.updated_at = NOW
    return text_of(estimate_pdf(made.view(), locale)).replace("\N{NO-BREAK SPACE}", " ")


def test_it_says_all_that_the_law_asks_of_an_estimate() -> None:
    made = estimate()
    assert made.valid_until
    text = printed(schedule="Sous dix jours.", guarantees="Pièces garanties trois ans.", supply=SUPPLY)
    for said in (
        *(day(made.written_on, "fr"), f"Valable jusqu’au {day(made.valid_until, 'fr')}", "gratuit"),
        *(FIRM.name, FIRM.address, FIRM.registration, FIRM.email, FIRM.phone),
        *("Léa Martin", "Lieu : 3 rue des Lilas, 69003 Lyon", "Vanne gaz à remplacer"),
        *("84,90 €/pièce", "Total HT 84,90 €", "TVA 20 % sur 84,90 € 16,98 €", "Total TTC 101,88 €"),
        *("Exécution : Sous dix jours.", "Garanties : Pièces garanties trois ans."),
        *("garantie légale de conformité", "Je souhaite conserver les pièces remplacées."),
        *("Bon pour accord, le :", "Signature :"),
        *(f"Assurance : {FIRM.insurance}", f"Médiateur de la consommation : {FIRM.mediator}"),
    ):
        assert said, said
        assert said in text


def test_one_for_a_business_names_it_and_nothing_that_is_for_consumers() -> None:
    text = printed(buyer=BUSINESS, withdrawal=right(consumer=False))
    assert "SIREN 552 100 554" in text
    for said in ("Médiateur", "consommateur", "garantie légale", "Pénalités"):
        assert said not in text


def test_labour_is_written_in_hours_and_minutes_at_the_price_of_an_hour() -> None:
    labour = {"kind": "labour", "description": "Contrôle", "unit": "hour", "unit_price": "62.00"}
    text = printed(lines=[LineGiven.model_validate(labour | {"minutes": 10})])
    assert "Contrôle 10 min 62,00 €/h 20 % 10,33 €" in text


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_notice_says_how_to_withdraw_and_brings_the_form(locale: Locale) -> None:
    text = printed(locale, withdrawal=right())
    assert FIRM.email
    says = {
        "fr": (
            "14 jours à compter de l’acceptation",
            "Aucun paiement n’est reçu dans les 7 jours qui suivent l’acceptation",
            "déclaration sans ambiguïté",
            "remboursé au plus tard dans les 14 jours",
            "Je reconnais que ce qui est fait jusqu’à une rétractation reste dû",
            f"À l’attention de {FIRM.name}, {FIRM.address}, {FIRM.email} :",
            "ma rétractation du contrat portant sur le devis DEV-2026-000001",
        ),
        "en": (
            "14 days from the acceptance",
            "No payment is taken in the 7 days after the acceptance",
            "unambiguous statement",
            "paid back within 14 days",
            "I acknowledge that what is done until a withdrawal is paid",
            f"To {FIRM.name}, {FIRM.address}, {FIRM.email}:",
            "I withdraw from my contract for estimate DEV-2026-000001",
        ),
    }
    for said in says[locale]:
        assert said in text


def test_where_there_is_no_right_to_withdraw_it_brings_no_form() -> None:
    text = printed(withdrawal=right(urgency="fuite"))
    assert "Pas de droit de rétractation : réparation ou entretien urgent" in text
    assert "formulaire" not in text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "au plus tard trente jours après l’acceptation"),
        ({"schedule": "Sous dix jours."}, "Sous dix jours."),
        ({"buyer_kind": "business"}, None),
    ],
    ids=["nothing agreed", "agreed", "business"],
)
async def test_where_nothing_is_agreed_the_law_says_when_the_work_is_done(
    stage: Stage, fields: dict[str, Any], says: str | None
) -> None:
    boiler = home(older=False)
    await stage.knows(client(), boiler, valve(id=boiler.article_id))
    await stage.given(billed())
    written = await stage.when(write.model_copy(update=fields), by=world.karim)
    schedule = event_of(written, EstimateWritten).state.schedule
    assert (says in (schedule or "")) if says else schedule is None


def test_what_is_taken_off_is_written_at_its_line() -> None:
    half = line(unit_price=Decimal("100.00"), covered=50, discount=Decimal("5.00"))
    assert "remise − 5 %, garantie − 50 %" in printed(lines=[half])
    assert "remise" not in printed(lines=[VALVE_LINE])


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_a_short_estimate_is_one_page_with_its_form(locale: Locale) -> None:
    made = estimate(version=1, seller=FIRM, withdrawal=right())
    made.created_at = made.updated_at = NOW
    with pypdfium2.PdfDocument(estimate_pdf(made.view(), locale)) as read:
        assert len(read) == 1
