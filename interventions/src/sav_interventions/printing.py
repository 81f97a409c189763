"""Papers as PDF, made by typst from the templates of this room."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import typst

# Beside the fonts that typst brings (Latin, Greek, Cyrillic): packages of fonts for names in other scripts.
FONTS = ("noto_cjk_sans_otc", "pylopdf_fonts_ar")


def printed(
    template: str,
    inputs: Mapping[str, str],
    made: datetime,
    standard: Literal["a-2b", "a-3b"],
    pictures: Mapping[str, bytes] | None = None,
) -> bytes:
    """The paper as PDF/A; the same bytes each time it is made. The template finds the `pictures` under their names.

    An ordinary PDF 1.7 where a text has a character that none of our fonts has.
    """
    try:
        return _compiled(template, inputs, made, standard, pictures or {})
    except typst.TypstError as error:
        if "could not be displayed" not in str(error):
            raise
        return _compiled(template, inputs, made, "1.7", pictures or {})


def _compiled(
    template: str,
    inputs: Mapping[str, str],
    made: datetime,
    standard: Literal["a-2b", "a-3b", "1.7"],
    pictures: Mapping[str, bytes],
) -> bytes:
    templates = files("sav_interventions") / "templates"
    # A folder, since typst takes what it is given in memory for sources.
    with TemporaryDirectory(prefix="sav-paper-") as folder:
        for name in (f"{template}.typ", "look.typ"):
            (Path(folder) / name).write_bytes((templates / name).read_bytes())
        for name, picture in pictures.items():
            (Path(folder) / name).write_bytes(picture)
        pdf: bytes = typst.compile(
            Path(folder) / f"{template}.typ",
            root=Path(folder),
            format="pdf",
            font_paths=fonts(),
            sys_inputs=dict(inputs),
            pdf_standards=standard,
            timestamp=int(made.timestamp()),
        )
    return pdf


@cache
def fonts() -> typst.Fonts:
    """Our fonts, looked for once in each process; of the machine's fonts none, so that a paper is the same everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(files(package)) for package in FONTS])
