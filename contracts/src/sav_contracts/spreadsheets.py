"""Texts in spreadsheets: a program that opens one must never take them for formulas."""

import re

# What Excel, LibreOffice, Numbers and Google Sheets take for the beginning of a formula, or skip before one
# (OWASP, CSV injection).
_BEGINS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(f"'*[{_BEGINS}]")
_DEFUSED = re.compile(f"''*[{_BEGINS}]")


def defused(text: str) -> str:
    """The text of a cell in a CSV, with an apostrophe in front where it would begin a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def as_typed(cell: str) -> str:
    """The text that `defused` was given."""
    return cell[1:] if _DEFUSED.match(cell) else cell
