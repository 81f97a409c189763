"""Invoices for machines: Factur-X (Cross Industry Invoice) in its profile EN 16931."""

import logging
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from facturx import generate_cii_xml  # type: ignore[import-untyped]

from sav_chassis.law.jurisdiction import Nature
from sav_interventions.invoice_paper import InvoicePaper, PaperLine, PaperVat, parted

# EN 16931 knows two decimals: no currency with three.
CURRENCY = "EUR"
CENT = Decimal("0.01")
# UN/ECE Recommendation 20.
UNITS = {"hour": "HUR", "piece": "C62", "km": "KMT", "flat": "LS"}
# ISO 6523: the number of a firm in the French register, and its address for electronic invoices.
SIREN, ADDRESS = "0002", "0225"
TRANSFER = "58"
# Why less is to be paid (UNTDID 5189), and the words for it.
DISCOUNT, DISCOUNTED, COVERED = "95", "Remise", "Pris en charge par la garantie"
# What a mention is about (UNTDID 4451), by how it begins: of these three a French business invoice needs each.
SUBJECTS = {"Pas d'escompte": "AAB", "Pénalités de retard": "PMD", "Indemnité forfaitaire": "PMT"}
# The cases of the French reform by what was sold, as BR-FR numbers them with 1, or with 4 where deposits are deducted.
PROCESSES: dict[Nature, str] = {"goods": "B", "services": "S", "both": "M"}

# It logs each invoice, and warns of what we know.
logging.getLogger("factur-x").setLevel(logging.ERROR)


def electronic_invoice(paper: InvoicePaper) -> bytes | None:
    """The XML of an invoice, a deposit invoice or a credit note; None in a currency that Factur-X cannot express."""
    if paper.currency != CURRENCY:
        return None
    made: bytes = generate_cii_xml(_data(paper), level="en16931", check_xsd=False, check_schematron=False)
    return made


def _data(paper: InvoicePaper) -> dict[str, Any]:
    """By the numbers of the terms of EN 16931."""
    data = {
        "BT-1": paper.number,
        "BT-2": paper.issued_on,
        "BT-3": paper.code,
        "BT-5": paper.currency,
        "BG-1": [_note(mention) for mention in _notes(paper)],
        "BG-4": _seller(paper),
        "BG-7": _buyer(paper),
        "BT-83": paper.number,
        "BG-25": [_line(number, line, paper) for number, line in enumerate(paper.lines, 1)],
        "BG-23": [_vat(total) for total in paper.by_rate],
    }
    if paper.buyer.is_business:
        data["BT-23"] = _process(paper)
    if not paper.deposit:
        # A credit note is of the day on which it is made.
        data["BT-72"] = paper.done_on or paper.issued_on
    if paper.delivered_to or paper.deposit:
        # Without a day and a place the library writes an empty element: of a deposit the country is known.
        data["BG-13"] = {"name": paper.buyer.name} | _address(paper.delivered_to or "", paper.country)
    if paper.on_debits:
        data["BT-8"] = "invoice"
    return data | _terms(paper) | _references(paper) | _totals(paper)


def _totals(paper: InvoicePaper) -> dict[str, Any]:
    allowances = [total for total in paper.by_rate if total.allowance]
    totals: dict[str, Any] = {
        "BT-106": _money(sum((line.amount for line in paper.lines), Decimal(0))),
        "BT-109": _money(paper.net),
        "BT-110": _money(paper.tax),
        "BT-112": _money(paper.total),
        "BT-115": _money(paper.payable),
    }
    if allowances:
        totals["BT-107"] = _money(sum((total.allowance or Decimal(0) for total in allowances), Decimal(0)))
        totals["BG-20"] = [_allowance(total, paper) for total in allowances]
    if paper.deducted:
        totals["BT-113"] = _money(paper.deducted)
    return totals


def _terms(paper: InvoicePaper) -> dict[str, Any]:
    """When and how it is to be paid."""
    if paper.code == "381":
        return {"BT-20": "Avoir : rien à payer."}
    terms: dict[str, Any] = {"BT-9": paper.due_on}
    if bank := paper.seller.bank:
        terms |= {"BT-81": TRANSFER, "BT-84": bank.iban, "BT-85": bank.holder or paper.seller.name}
        terms |= {"BT-86": bank.bic} if bank.bic else {}
    return terms


def _references(paper: InvoicePaper) -> dict[str, Any]:
    """The invoices that came before: those that it corrects or deducts; and what it is about."""
    before = [{"BT-25": one.number, "BT-26": one.issued_on} for one in paper.deposits]
    if paper.invoice_number:
        before.append({"BT-25": paper.invoice_number, "BT-26": paper.invoice_issued_on})
    about = paper.order_reference or paper.reclamation_reference
    return {"BG-3": before} | ({"BT-14": about} if about else {})


def _notes(paper: InvoicePaper) -> list[str]:
    because = [total.mention for total in paper.by_rate if total.mention and total.rate]
    return [*paper.mentions, *because, *([paper.reason] if paper.reason else [])]


def _note(mention: str) -> dict[str, str]:
    straight = mention.replace("’", "'")
    subject = next((code for begins, code in SUBJECTS.items() if straight.startswith(begins)), None)
    return {"BT-22": mention} | ({"BT-21": subject} if subject else {})


def _seller(paper: InvoicePaper) -> dict[str, Any]:
    seller = paper.seller
    party = {"name": seller.name, "legal_info": seller.registration} | _address(seller.address, "FR")
    if seller.vat_number.startswith("FR"):
        # A French VAT number is a key and the number of the firm.
        siren = "".join(seller.vat_number.split())[4:]
        party |= {"vat_identifier": "".join(seller.vat_number.split())} | _numbers(siren)
    else:
        party["tax_identifier"] = seller.vat_number
    contact = {"name": seller.name, "phone": seller.phone, "email": seller.email}
    return party | ({"contacts": [contact]} if seller.phone or seller.email else {})


def _buyer(paper: InvoicePaper) -> dict[str, Any]:
    buyer = paper.buyer
    party: dict[str, Any] = {"name": buyer.name} | _address(buyer.address or "", _country(paper))
    if buyer.siren:
        party |= _numbers(buyer.siren)
    if buyer.tax_number:
        party["vat_identifier"] = buyer.tax_number
    return party


def _country(paper: InvoicePaper) -> str:
    """The buyer's: of a firm where it is registered for VAT, else where it was supplied."""
    registered = (paper.buyer.tax_number or "")[:2]
    return {"EL": "GR"}.get(registered, registered) if registered.isalpha() else paper.country


def _numbers(siren: str) -> dict[str, str]:
    return {
        "legal_identifier": siren,
        "legal_identifier_schemeid": SIREN,
        "einvoicing_addr": siren,
        "einvoicing_addr_schemeid": ADDRESS,
    }


def _address(address: str, country: str) -> dict[str, str]:
    street, postcode, city = parted(address)
    known = {"addr_l1": street, "postcode": postcode, "city": city, "country_code": country}
    return {name: value for name, value in known.items() if value}


def _line(number: int, line: PaperLine, paper: InvoicePaper) -> dict[str, Any]:
    total = paper.rate_of(line)
    data = {
        "BT-126": str(number),
        "BT-153": line.description,
        "BT-129": _plain(line.quantity),
        "BT-130": UNITS[line.unit],
        "BT-146": _plain(line.amount if line.unit_price is None else line.unit_price),
        "BT-131": _money(line.amount),
        "BT-151": _category(total),
        "BT-152": _plain(total.rate),
    }
    if line.minutes:
        # Exact: an hour's price is for sixty of these.
        data |= {"BT-129": str(line.minutes), "BT-130": "MIN", "BT-149": "60"}
    reductions = _reductions(line)
    return data | ({"BG-27": reductions} if reductions else {})


def _reductions(line: PaperLine) -> list[dict[str, str]]:
    """What a warranty pays of a line, then its discount: with these its price times its quantity is its amount."""
    less = line.gross - line.amount
    covered = min(less, line.covered_amount or (less if line.covered and not line.discount else Decimal(0)))
    reductions = []
    if covered:
        reductions.append({"amount": _money(covered), "reason": COVERED})
    if discount := less - covered:
        reductions.append({"amount": _money(discount), "reason": DISCOUNTED, "reason_code": DISCOUNT})
    return reductions


def _allowance(total: PaperVat, paper: InvoicePaper) -> dict[str, str]:
    """The share of a discount on the whole that falls on a rate."""
    return {
        "amount": _money(total.allowance or Decimal(0)),
        "reason": paper.discount.label if paper.discount else DISCOUNTED,
        "reason_code": DISCOUNT,
        "vat_category_code": _category(total),
        "vat_rate": _plain(total.rate),
    }


def _vat(total: PaperVat) -> dict[str, str]:
    data = {
        "BT-116": _money(total.base),
        "BT-117": _money(total.vat),
        "BT-118": _category(total),
        "BT-119": _plain(total.rate),
    }
    if not total.rate:
        data["BT-120"] = total.mention or "TVA non applicable"
    return data


def _category(total: PaperVat) -> str:
    """Taxed, owed by the taker of the work, or not taxed (UNTDID 5305)."""
    if total.rate:
        return "S"
    return "AE" if (total.mention or "").startswith("Autoliquidation") else "E"


def _process(paper: InvoicePaper) -> str:
    """What was sold (goods, services, or both), and whether deposits are deducted, by the cases of the French reform."""
    return f"{PROCESSES[paper.nature]}{4 if paper.deposits else 1}"


def _money(amount: Decimal) -> str:
    return str(amount.quantize(CENT, ROUND_HALF_UP))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
