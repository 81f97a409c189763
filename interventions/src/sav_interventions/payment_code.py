"""The QR code with which a banking app fills in a transfer (EPC069-12)."""

from io import BytesIO

from segno import helpers

from sav_contracts.bank import Bank
from sav_interventions.invoice_paper import InvoicePaper

# Of the beneficiary's name (EPC069-12).
LONGEST_NAME = 70


def payment_code(paper: InvoicePaper, bank: Bank | None) -> bytes | None:
    """As SVG, with its margin; None where nothing is to be paid, in another currency, or no account is known."""
    if bank is None or paper.currency != "EUR" or paper.code == "381" or paper.payable <= 0:
        return None
    name = bank.holder or paper.seller.name[:LONGEST_NAME]
    # Version 002 in UTF-8, error correction M.
    code = helpers.make_epc_qr(name, bank.iban, paper.payable, text=paper.number, bic=bank.bic, encoding=1)
    made = BytesIO()
    code.save(made, kind="svg", xmldecl=False, omitsize=True)
    return made.getvalue()
