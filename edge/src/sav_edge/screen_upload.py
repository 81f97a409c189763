"""Screens one uploaded file, or makes a picture smaller. Run as a program, with what is wanted of it (see `recognised`):
reads a file from standard input, writes what is kept of it.

It is a separate process because anybody can send bytes to the decoders. Its memory and time are limited and end with
it, it knows no secrets, and if it crashes nothing else does.
"""

import json
import os
import resource
import sys

from sav_edge.upload_errors import Unreadable, Unsuitable

PDF = "application/pdf"
# The program's argument where a table is wanted, which its bytes do not tell: anything may be a CSV.
AS_TABLE = "table"
# The same where something has to be seen on the picture.
AS_DRAWING = "drawing"
# Bytes of memory that this process may use, how many of them are program code, and its seconds of processor time.
MEMORY = 350_000_000
PROGRAMS = 25_000_000
SECONDS = 20
# The first line of the output where nothing is kept, instead of a media type.
REFUSED, UNREAD = "refused", "unread"


def recognised(content: bytes, how: str = "") -> tuple[bytes, str]:
    """The bytes to keep and their media type, always the same for the same bytes.

    A picture is re-encoded, a PDF screened. `how` is `AS_TABLE` where a table is rewritten, `AS_DRAWING` where the picture
    may not be empty, or for a picture that was kept before the most pixels of its longer side. `Unsuitable` or `Unreadable`
    says why nothing is kept.
    """
    # Only one of the modules is needed, and importing takes most of the time.
    if how == AS_TABLE:
        from sav_edge.tables import TABLE, table

        return table(content), TABLE
    if content.startswith(b"%PDF-") and not how:
        from sav_edge.pdfs import screened

        return screened(content), PDF
    from sav_edge.pictures import drawn, remade, smaller

    try:
        if how == AS_DRAWING:
            return drawn(*remade(content))
        return smaller(content, int(how)) if how else remade(content)
    except (Unsuitable, MemoryError):
        raise
    except Exception as error:
        # Decoders may raise any exception on broken bytes.
        raise Unreadable from error


def main(how: str = "") -> None:
    """Reads a file from standard input; writes a line that says what it is, then what is kept of it."""
    os.nice(10)  # answering requests comes first
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY - PROGRAMS, MEMORY - PROGRAMS))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        kept, kind = recognised(sys.stdin.buffer.read(), how)
    except Unsuitable as error:
        kept, kind = json.dumps(error.text()).encode(), REFUSED
    except Unreadable:
        kept, kind = b"", UNREAD
    sys.stdout.buffer.write(kind.encode() + b"\n")
    sys.stdout.buffer.write(kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
