"""The page from which a client downloads the invoice, the credit note or the report that a mail tells of."""

from uuid import UUID

import httpx
import pytest
from eventually import eventually
from pages import Page, checked, opened, sent
from papers import text_of
from recipes import Scene

from sav_chassis.identity import Links


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("invoice", "Votre facture FAC-"),
        ("credit_note", "Votre avoir AVO-"),
        ("report", "Le rapport de votre visite"),
    ],
)
async def test_a_client_downloads_a_paper_by_the_link_of_its_mail(
    scene: Scene, http: httpx.AsyncClient, kind: str, says: str
) -> None:
    record = scene.near.seen[kind]
    token = Links(scene.system.settings.link_secret).token("paper", UUID(record["id"]))

    async def made() -> Page | None:
        page = await opened(http, "paper", token, headers={"Accept-Language": "fr"})
        return page if any(link.startswith("/paper.pdf?") for link in page.links) else None

    page = await eventually(made)
    assert says in page.text
    assert (page.action == "") is (kind != "invoice"), "only an invoice is paid"
    [link] = [link for link in page.links if link.startswith("/paper.pdf?")]
    paper = await http.get(link)
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert (paper.headers["cache-control"], paper.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert record.get("number", "Circulateur") in text_of(paper.content)


async def test_an_invoice_is_paid_online_from_the_link_of_its_mail(
    scene: Scene, http: httpx.AsyncClient
) -> None:
    token = Links(scene.system.settings.link_secret).token("paper", UUID(scene.near.seen["invoice"]["id"]))
    page = await opened(http, "paper", token, headers={"Accept-Language": "fr"})
    assert "Reste à payer" in page.text
    begun = await sent(http, page)
    [checkout] = [link for link in begun.links if "/sandbox/checkout?checkout_id=" in link]
    assert "Continuer vers le paiement" in begun.text
    again = await sent(http, page)
    assert checkout in again.links, "it is the same one"
    assert (
        "aucune somme n’est prélevée"
        in checked(await http.get(checkout, headers={"Accept-Language": "fr"})).text
    )
