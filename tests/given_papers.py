"""Papers of invoices that tests start from: the worked examples of the law, to a private person or a business."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sav_contracts.bank import Bank
from sav_contracts.interventions.invoice import Seller
from sav_interventions.invoice_paper import (
    InvoicePaper,
    PaperBuyer,
    PaperDeposit,
    PaperDiscount,
    PaperLine,
    PaperVat,
)

FIRM = Seller(
    name="Confort SAV",
    address="12 avenue Berthelot, 69007 Lyon",
    registration="RCS Lyon 732 829 320",
    vat_number="FR44732829320",
    email="contact@example.com",
    phone="+33472000000",
    bank=Bank(iban="FR7630006000011234567890189", bic="AGRIFRPP"),
    insurance="Décennale : Assur SA, Lyon, France entière",
    mediator="Médiation Conso, www.example.org",
)
PERSON = PaperBuyer(name="Léa Martin", address="3 rue des Lilas, 69003 Lyon")
BUSINESS = PaperBuyer(
    name="Boulangerie Roux SARL",
    address="8 place Bellecour, 69002 Lyon",
    kind="business",
    siren="552100554",
    tax_number="FR83552100554",
)
# What a business invoice says in France.
LATE = [
    "Pas d'escompte pour paiement anticipé.",
    "Pénalités de retard : taux de la BCE majoré de dix points, exigibles sans rappel (L441-10).",
    "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 € (D441-5).",
]


def money(text: str) -> Decimal:
    return Decimal(text)


def line(description: str, amount: str, vat_class: str = "intermediate", **fields: Any) -> PaperLine:
    usual = {
        "kind": "part",
        "description": description,
        "quantity": Decimal(1),
        "unit": "piece",
        "unit_price": Decimal(amount),
        "vat_class": vat_class,
        "amount": Decimal(amount),
    }
    return PaperLine.model_validate(usual | fields)


def vat(vat_class: str, rate: str, base: str, tax: str, **fields: Any) -> PaperVat:
    given = {"vat_class": vat_class, "rate": rate, "base": base, "vat": tax}
    return PaperVat.model_validate(given | fields)


def paper(lines: Sequence[Any], totals: Sequence[Any], **fields: Any) -> InvoicePaper:
    net, tax = sum(total.base for total in totals), sum(total.vat for total in totals)
    usual = {
        "number": "FAC-2026-000001",
        "currency": "EUR",
        "seller": FIRM,
        "buyer": PERSON,
        "issued_on": date(2026, 3, 11),
        "supplied_on": date(2026, 3, 3),
        "due_on": date(2026, 4, 10),
        "reclamation_reference": "REC-2026-000100",
        "lines": lines,
        "vat": totals,
        "net": net,
        "tax": tax,
        "total": net + tax,
        "mentions": LATE[:1],
    }
    return InvoicePaper.model_validate(usual | fields)


THREE = [
    line("Main-d’œuvre", "93.00", kind="labour", unit="hour", minutes=90, unit_price="62.00", quantity="1.5"),
    line("Vanne gaz (VAN-22)", "48.90"),
    line("Déplacement", "35.00", kind="travel", unit="flat"),
    line("Thermostat (THE-1)", "129.90", "standard"),
]


def reduced(**fields: Any) -> InvoicePaper:
    """Two rates with 5 % off the whole: 332.94."""
    totals = [
        vat("standard", "20", "123.40", "24.68", allowance="6.50"),
        vat("intermediate", "10", "168.05", "16.81", allowance="8.85"),
    ]
    return paper(THREE, totals, discount=PaperDiscount(label="Remise fidélité 5 %"), **fields)


def cents() -> InvoicePaper:
    """3 × 0.35 at 10 %."""
    lines = [line("Joint (JOI-1)", "1.05", quantity="3", unit_price="0.35")]
    return paper(lines, [vat("intermediate", "10", "1.05", "0.11")])


def covered() -> InvoicePaper:
    """Labour of ten minutes, a part of which a warranty pays half with a discount, and one that it pays whole."""
    lines = [
        line(
            "Contrôle", "10.33", kind="labour", unit="hour", minutes=10, unit_price="62.00", quantity="0.17"
        ),
        line("Carte", "47.50", unit_price="100.00", covered=50, covered_amount="47.50", discount="5"),
        line("Filtre", "0.00", unit_price="12.00", covered=100),
    ]
    return paper(lines, [vat("intermediate", "10", "57.83", "5.78")])


BOILER = [
    line("Chaudière gaz (CHA-24)", "2000.00", "standard"),
    line("Pose", "62.00", "standard", kind="labour", unit="hour", minutes=60),
]


def deposit(**fields: Any) -> InvoicePaper:
    """30 % of a boiler."""
    lines = [
        line("Acompte de 30 % sur devis DEV-2026-000001", "618.60", "standard", kind="other", unit="flat")
    ]
    totals = [vat("standard", "20", "618.60", "123.72")]
    return paper(lines, totals, deposit=True, number="FAC-2026-000002", **fields)


def final(**fields: Any) -> InvoicePaper:
    """The boiler less its deposit: 1,732.08."""
    before = PaperDeposit(number="FAC-2026-000002", issued_on=date(2026, 2, 20), total=Decimal("742.32"))
    totals = [vat("standard", "20", "2062.00", "412.40")]
    return paper(BOILER, totals, deposits=[before], deducted="742.32", **fields)


def credit(**fields: Any) -> InvoicePaper:
    """A line of `reduced`, with its share of the discount: 51.10."""
    about = {"kind": "part", "description": "Vanne gaz (VAN-22)", "vat_class": "intermediate"}
    lines = [PaperLine.model_validate(about | {"amount": "48.90"})]
    named = {"invoice_number": "FAC-2026-000001", "invoice_issued_on": date(2026, 3, 11)}
    dates = {"due_on": None, "supplied_on": None, "reason": "Pièce reprise."}
    totals = [vat("intermediate", "10", "46.45", "4.65", allowance="2.45")]
    return paper(lines, totals, number="AVO-2026-000001", **(named | dates | fields))


def untaxed() -> InvoicePaper:
    """Where there is no VAT (Guyane)."""
    mention = "TVA non applicable en Guyane (CGI, art. 294, 1)."
    return paper([line("Pose", "62.00")], [vat("intermediate", "0", "62.00", "0.00", mention=mention)])


def reverse_charged() -> InvoicePaper:
    """Building work for a firm that was itself engaged by somebody."""
    totals = [vat("intermediate", "0", "62.00", "0.00", mention="Autoliquidation (CGI, art. 283, 2 nonies).")]
    return paper([line("Pose", "62.00")], totals, buyer=BUSINESS, mentions=LATE)
