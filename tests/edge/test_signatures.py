"""A signature is a picture on which something is drawn."""

from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from given_uploads import CLAIM, At
from PIL import Image, ImageDraw
from stories import refused

from sav_contracts.claims.photo import AddPhotos
from sav_contracts.interventions.report import SignReport

SIGNED = {"intervention_id": str(uuid4()), "signed_by": "Léa Bernard"}


def drawing(strokes: str | None, form: str = "PNG", size: tuple[int, int] = (600, 200)) -> bytes:
    """What a telephone makes of a signature, transparent where the format can be; without strokes nothing was drawn."""
    canvas = Image.new("RGBA", size, (0, 0, 0, 0))
    if strokes:
        ImageDraw.Draw(canvas).line([(20, 150), (90, 40), (160, 150), (240, 90)], fill=strokes, width=2)
    if form == "JPEG":
        white = Image.new("RGB", size, "white")
        white.paste(canvas, mask=canvas)
        canvas = white
    made = BytesIO()
    canvas.save(made, form)
    return made.getvalue()


def plain(form: str, mode: str, colour: Any, size: tuple[int, int] = (600, 200)) -> bytes:
    made = BytesIO()
    Image.new(mode, size, colour).save(made, form)
    return made.getvalue()


def dotted() -> bytes:
    sheet = Image.new("RGB", (300, 120), "white")
    ImageDraw.Draw(sheet).ellipse((100, 50, 105, 55), fill="black")
    made = BytesIO()
    sheet.save(made, "PNG")
    return made.getvalue()


NOTHING_DRAWN = {
    "a dot": dotted(),
    "transparent": drawing(None),
    "transparent webp": drawing(None, "WEBP"),
    "white strokes on nothing": drawing("white"),
    "a white sheet": drawing(None, "JPEG"),
    "all black": plain("PNG", "L", 0),
    "all of a palette's colour": plain("PNG", "P", 3),
    "one pixel": plain("PNG", "RGB", "black", (1, 1)),
    "half transparent": plain("PNG", "RGBA", (0, 0, 90, 128)),
}


@pytest.mark.parametrize("content", NOTHING_DRAWN.values(), ids=NOTHING_DRAWN)
@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "nothing is to be seen on this picture: it is empty, of one colour, or a dot (a.png)"),
        (
            "fr",
            "on ne voit rien sur cette image\N{NO-BREAK SPACE}: elle est vide, d’une seule couleur, ou ne montre qu’un point (a.png)",
        ),
    ],
)
async def test_a_signature_on_which_nothing_is_drawn_is_refused(
    at: At, content: bytes, locale: str, said: str
) -> None:
    async with at(SignReport) as desk:
        answer = await desk.send(
            data=SIGNED, files={"signature": ("a.png", content)}, headers={"Accept-Language": locale}
        )
        problem = refused(answer, 415, "unsupported_media_type")
        assert problem["errors"] == [{"field": "signature", "message": said}]
        assert desk.kept() == []


@pytest.mark.parametrize("form", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("strokes", ["black", "navy", "silver"])
async def test_a_drawn_signature_is_taken(at: At, form: str, strokes: str) -> None:
    async with at(SignReport) as desk:
        command = await desk.sends(data=SIGNED, files={"signature": ("a", drawing(strokes, form))})
        assert command.signature


async def test_another_picture_may_be_of_one_colour(at: At) -> None:
    async with at(AddPhotos) as desk:
        await desk.sends(data=CLAIM, files={"photos": ("a.png", NOTHING_DRAWN["all black"])})
