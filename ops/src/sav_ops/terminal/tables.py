"""Tables for a terminal of 80 columns."""

from collections.abc import Iterable, Sequence

from rich.text import Text


def listing(header: Sequence[str], rows: Iterable[Sequence[str | Text]], notes: Iterable[str]) -> Text:
    """Return rows in columns; each note stands on its own line below its row, because it may be long."""
    columns = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    titles = [Text(title, "bold") for title in header]
    widths = [max(cell.cell_len for cell in column) for column in zip(titles, *columns, strict=True)]
    shown = [in_columns(titles, widths)]
    for row, note in zip(columns, notes, strict=True):
        shown.append(in_columns(row, widths))
        if note:
            shown.append(Text(f"    {note}", "dim"))
    return Text("\n").join(shown)


def numbers(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Text:
    """Return rows of a name and numbers, which are aligned to the right."""
    aligned = [
        (row[0], *(cell.rjust(len(title)) for cell, title in zip(row[1:], header[1:], strict=True)))
        for row in rows
    ]
    return listing(header, aligned, [""] * len(rows))


def in_columns(cells: Iterable[Text], widths: Iterable[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell).append(" " * (width - cell.cell_len + 2))
    line.rstrip()
    return line
