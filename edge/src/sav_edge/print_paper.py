"""Prints one paper. Run as a program: reads its template's name and its facts from standard input, writes a PDF.

In a process of its own, because the edge would keep what typst takes (30 MB) for a paper that is rarely wanted.
"""

import json
import os
import resource
import sys
from importlib.resources import as_file, files
from io import BytesIO
from typing import Any, Literal

# Bytes of memory that this process may use, and its seconds of processor time.
MEMORY = 300_000_000
SECONDS = 20
# On a side of a QR code, with its margin: at 28 mm each is 0.4 mm, which a label printer and a phone are equal to.
MOST_MODULES = 70


def printed(template: str, facts: dict[str, Any]) -> bytes:
    """The paper as PDF/A-2b, the same bytes for the same facts; `link` among them is printed as a QR code too.

    An ordinary PDF 1.7 in the fonts of the machine where ours lack a character.
    """
    import typst

    if "link" in facts:
        facts = facts | {"qr": qr(facts["link"])}
    try:
        return _compiled(template, facts, "a-2b")
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compiled(template, facts, "1.7")


def _compiled(template: str, facts: dict[str, Any], standard: Literal["a-2b", "1.7"]) -> bytes:
    import typst

    with as_file(files("sav_edge") / "templates" / f"{template}.typ") as path:
        pdf: bytes = typst.compile(
            path,
            format="pdf",
            sys_inputs={"facts": json.dumps(facts)},
            pdf_standards=standard,
            ignore_system_fonts=standard != "1.7",
            timestamp=facts["made"],
        )
    return pdf


def qr(link: str) -> str:
    """A QR code as SVG, with its margin of four modules (ISO/IEC 18004).

    It is read with a quarter of it dirty or gone; that of a long link, whose modules would be too small, with a seventh.
    """
    import segno

    code = segno.make_qr(link, error="q", boost_error=False)
    if code.symbol_size(border=4)[0] > MOST_MODULES:
        code = segno.make_qr(link, error="m", boost_error=False)
    made = BytesIO()
    code.save(made, kind="svg", xmldecl=False, omitsize=True)
    return made.getvalue().decode()


def main() -> None:
    """Reads what to print from standard input; writes the PDF."""
    os.nice(10)  # answering requests comes first
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    template, facts = json.load(sys.stdin.buffer)
    sys.stdout.buffer.write(printed(template, facts))


if __name__ == "__main__":
    main()
