"""Papers as PDF, made by typst from the templates of this room."""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import typst

from sav_chassis.written import words
from sav_contracts.auth.fields import Locale
from sav_interventions.settings import billing

# Beside the fonts that typst brings (Latin, Greek, Cyrillic): packages of fonts for names in other scripts.
FONTS = ("noto_cjk_sans_otc", "pylopdf_fonts_ar", "manimgx_fonts")
# Stands for a character that none of them has.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
JPEG = b"\xff\xd8"
UNPRINTABLE = "could not be displayed"

Standard = Literal["a-2b", "a-3b"]


def printed(
    template: str,
    inputs: Mapping[str, str],
    made: datetime,
    standard: Standard,
    pictures: Mapping[str, bytes] | None = None,
) -> bytes:
    """The paper as PDF/A; the same bytes each time it is made. The template finds the `pictures` under their names.

    `inputs` name the `locale` of its reader. A character that none of our fonts has is printed as `REPLACEMENT`, so the
    paper is always one for archives.
    """
    given = look("fr" if inputs["locale"] == "fr" else "en") | dict(inputs)
    try:
        return _compiled(template, given, made, standard, pictures or {})
    except typst.TypstError as error:
        if UNPRINTABLE not in str(error):
            raise
    lacking = {ord(each): REPLACEMENT for each in set("".join(given.values())) if not _is_in_a_font(each)}
    given = {name: text.translate(lacking) for name, text in given.items()}
    return _compiled(template, given, made, standard, pictures or {})


def look(locale: Locale) -> dict[str, str]:
    """What every template is given: the language with its words, and the firm's colour and logo."""
    firm = billing().look
    return {
        "locale": locale,
        "words": json.dumps(words(locale)._asdict(), ensure_ascii=False),
        "look": json.dumps({"accent": firm.accent, "logo": firm.logo_name}),
    }


@cache
def fonts() -> typst.Fonts:
    """Our fonts, looked for once in each process; of the machine's fonts none, so that a paper is the same everywhere."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(files(package)) for package in FONTS])


def _compiled(
    template: str,
    inputs: Mapping[str, str],
    made: datetime,
    standard: Standard,
    pictures: Mapping[str, bytes],
) -> bytes:
    templates = files("sav_interventions") / "templates"
    # A folder, since typst takes what it is given in memory for sources.
    with TemporaryDirectory(prefix="sav-paper-") as folder:
        for name in (f"{template}.typ", "look.typ"):
            (Path(folder) / name).write_bytes((templates / name).read_bytes())
        for name, picture in (dict(pictures) | billing().look.pictures).items():
            (Path(folder) / name).write_bytes(picture)
        _decode(folder, [name for name, content in pictures.items() if content.startswith(JPEG)])
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


def _decode(folder: str, photos: Sequence[str]) -> None:
    """Decodes photos side by side. Typst remembers them; alone it would decode one after the other."""
    at_once = len(os.sched_getaffinity(0))
    shares = [share for first in range(at_once) if (share := photos[first::at_once])]

    def share_decoded(share: Sequence[str]) -> None:
        shown = "".join(f"#image({json.dumps(name)})" for name in share)
        typst.query(shown.encode(), "image", root=folder, font_paths=fonts())  # type: ignore[type-var]

    with ThreadPoolExecutor(at_once) as threads:
        list(threads.map(share_decoded, shares))


@cache
def _is_in_a_font(character: str) -> bool:
    try:
        typst.compile(
            b"#sys.inputs.text",
            format="pdf",
            font_paths=fonts(),
            sys_inputs={"text": character},
            pdf_standards="a-2b",
            timestamp=0,
        )
    except typst.TypstError as error:
        if UNPRINTABLE not in str(error):
            raise
        return False
    return True
