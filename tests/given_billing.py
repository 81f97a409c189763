"""Invoices that tests start from, and the client and the product that they are about."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import world
from given_interventions import NOW, PRODUCT, RECLAMATION, product, visit, work
from given_views import a

from sav_chassis.law.jurisdiction import jurisdiction
from sav_contracts.catalog.product import ProductView
from sav_contracts.catalog.warranty import Warranty
from sav_contracts.claims.client import ClientView
from sav_contracts.interventions.invoice import Buyer, IssueInvoice, Seller
from sav_contracts.interventions.line import Discount, LineGiven, Supply
from sav_contracts.interventions.visit import InterventionClosed, WarrantyDecided
from sav_contracts.money import VatClass
from sav_interventions.model import Intervention, Invoice

INVOICE = UUID(int=700)
# When what is billed was supplied.
THE_DAY = date(2026, 3, 3)
FR, TN = jurisdiction("FR"), jurisdiction("TN")
NOT_COVERED = Warranty.of_shares(0, 0, 0, why="covers_ended")
SELLER = Seller(
    name="SAV Démonstration SARL",
    address="1 rue de l'Exemple, 75001 Paris",
    registration="SIREN 000 000 000",
    vat_number="FR00000000000",
)
# Totals 84.90 excluding VAT, 101.88 including it.
VALVE_LINE = LineGiven(
    kind="part",
    description="Vanne gaz (VAN-22)",
    quantity=Decimal(1),
    unit="piece",
    unit_price=Decimal("84.90"),
    vat_class="standard",
)
# Repairs in Paris, in a dwelling of which nothing is said; and in one where the law allows every rate.
SUPPLY = Supply(on=THE_DAY, postcode="75001")
# Sold without fitting.
SALE = SUPPLY.model_copy(update={"works": "sale"})
CERTIFIED = SUPPLY.model_copy(update={"older_dwelling": True, "certified": True})
issue = IssueInvoice(invoice_id=INVOICE)


def client(**fields: Any) -> ClientView:
    """Léa as claims tells her."""
    usual: dict[str, Any] = {"id": world.lea.id, "name": "Léa Martin"}
    return a(ClientView, **(usual | fields))


def home(older: bool) -> ProductView:
    """Léa's boiler, in a dwelling of more than two years or not."""
    boiler = product()
    return boiler.model_copy(
        update={"place": boiler.place.model_copy(update={"dwelling_over_two_years": older})}
    )


def closed(**fields: Any) -> Intervention:
    """Karim's visit, done in the late evening of the 3rd of March in Paris, its report validated a week after."""
    usual = {
        "product_id": PRODUCT,
        "work": work(),
        "warranty": NOT_COVERED,
        "purpose": "repair",
        "overdue": False,
        "assignment": 1,
        "done_at": NOW.replace(day=3, hour=22, minute=30),
        "closed_at": NOW.replace(day=10),
    }
    return visit("completed", **(usual | fields))


def told_closed(of: Intervention) -> InterventionClosed:
    of.version, of.created_at, of.updated_at = 1, NOW, NOW
    return InterventionClosed(state=of.view(), outcome="completed")


def told_decided(of: Intervention) -> WarrantyDecided:
    of.version, of.created_at, of.updated_at = 1, NOW, NOW
    return WarrantyDecided(state=of.view(), decision="unknown")


def line(vat_class: VatClass | None = "standard", **fields: Any) -> LineGiven:
    return VALVE_LINE.model_copy(update={"vat_class": vat_class} | fields)


def invoice(
    status: str = "draft",
    *lines: LineGiven,
    number: int = 1,
    paid: str = "0.00",
    supply: Supply | None = None,
    discount: Discount | None = None,
    **fields: Any,
) -> Invoice:
    """Léa's invoice of 101.88, unless the lines or fields say otherwise."""
    issued = status not in {"draft", "discarded"}
    usual = {
        "id": INVOICE,
        "client_id": world.lea.id,
        "intervention_id": None,
        "reclamation_id": RECLAMATION,
        "reclamation_reference": "REC-2026-000100",
        "status": status,
        "currency": "EUR",
        "seller": SELLER,
        "buyer": Buyer(name="Léa Martin", address="1 rue de l'Exemple, 75001 Paris"),
        "supplied_on": THE_DAY,
        "number": f"FAC-2026-{number:06}" if issued else None,
        "issued_on": date(2026, 3, 11) if issued else None,
        "issued_at": datetime(2026, 3, 11, 8, tzinfo=UTC) if issued else None,
        "due_on": date(2026, 4, 10) if issued else None,
        "hash": f"{number:064}" if issued else None,
        "previous_hash": f"{number - 1:064}" if issued else None,
        "paid": Decimal(paid),
        "deposit": False,
        "deposits": [],
        "deducted": Decimal("0.00"),
        "credited": Decimal("0.00"),
        "overdue": False,
        "reminders": 0,
        "mentions": [*FR.mentions, *FR.private_mentions] if issued else [],
        "lacks": [],
    }
    made = Invoice(**(usual | fields))
    made.itemise(lines or [VALVE_LINE], FR, supply or CERTIFIED, discount)
    return made
