"""Writes a workbook. Run as a program: reads rows as lines of JSON from standard input, writes an XLSX to standard output.

The first line has the names of the columns, the second their kinds: `text`, `amount`, `whole`, `day`. It is a separate
process because that takes a core for seconds. Rows wait on the disk, not in memory.
"""

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import date
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

from xlsxwriter import Workbook  # type: ignore[import-untyped]

# Texts are only ever texts.
PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
WIDTH = 18


def write(lines: BinaryIO, to: BinaryIO, folder: str) -> None:
    """The workbook of these lines; `folder` is for what is not finished."""
    with Workbook(to, {"constant_memory": True, "tmpdir": folder, **PLAIN}) as book:
        sheet = book.add_worksheet("Articles")
        names, kinds = json.loads(next(lines)), json.loads(next(lines))
        amount, day = book.add_format({"num_format": "0.00"}), book.add_format({"num_format": "dd/mm/yyyy"})
        write_as: Mapping[str, Callable[[int, int, str], Any]] = {
            "text": sheet.write_string,
            "amount": lambda row, column, cell: sheet.write_number(row, column, float(cell), amount),
            "whole": lambda row, column, cell: sheet.write_number(row, column, int(cell)),
            "day": lambda row, column, cell: sheet.write_datetime(row, column, date.fromisoformat(cell), day),
        }
        sheet.set_column(0, len(names) - 1, WIDTH)
        sheet.freeze_panes(1, 1)
        bold = book.add_format({"bold": True})
        for column, name in enumerate(names):
            sheet.write_string(0, column, name, bold)
        for row, line in enumerate(lines, 1):
            for column, (cell, kind) in enumerate(zip(json.loads(line), kinds, strict=True)):
                if cell:
                    write_as[kind](row, column, cell)


def main() -> None:
    """Writes the workbook that its input describes."""
    os.nice(10)  # answering requests comes first
    # An exit, so that the folder is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with TemporaryDirectory() as folder:
        write(sys.stdin.buffer, sys.stdout.buffer, folder)


if __name__ == "__main__":
    main()
