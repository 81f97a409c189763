"""Re-encodes uploaded pictures: upright, limited in size, without metadata."""

from io import BytesIO

from PIL import ExifTags, Image

from sav_edge.upload_errors import Unsuitable

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
KEPT_AS = ("JPEG", "PNG")
# The most pixels of the longer side of a kept picture.
LONGEST = 2560
QUALITY = 85
# The most bytes that a resized picture takes.
KEPT = 4 * LONGEST**2
# Bytes of memory that a picture may take while it is decoded and resized; see `_check_room`.
ROOM = 256_000_000
# Bytes per pixel in Pillow's memory, with the copies made before the picture is resized. tests/edge/test_recognising.py
# compares them with what is really used.
GREY = {"1": 2, "L": 1, "I;16": 5}
COLOURED = {"P": 5, "RGB": 4, "CMYK": 4, "LA": 8, "RGBA": 8}
# The same where one colour, or some of the palette, is transparent.
SEE_THROUGH = 8
# For WebP: libwebp holds two canvases while the file is open and copies one of them, which Pillow copies again.
WEBP = 16
# For HEIC, while it is decoded and afterwards: with as many colours as phones keep, and with more of them or alpha.
HEIC, HEIC_AFTER = 8, 5
RICH_HEIC, RICH_HEIC_AFTER = 16, 8
# Differences of colour that nobody sees, as a JPEG makes them.
FAINT = 8
# Pixels of the longer side of what is no more than a dot.
DOT = 10
# The transposition that each EXIF orientation requires (EXIF 2.32, 4.6.4 A).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class TooManyPixels(Unsuitable):
    millions: int
    en = "this picture is too large: in this format up to {millions} million pixels can be read; send a smaller one, or a JPEG"
    fr = "cette image est trop grande : dans ce format, nous lisons jusqu’à {millions} millions de pixels ; envoyez-en une plus petite, ou un JPEG"


class NothingDrawn(Unsuitable):
    en = "nothing is to be seen on this picture: it is empty, of one colour, or a dot"
    fr = "on ne voit rien sur cette image\N{NO-BREAK SPACE}: elle est vide, d’une seule couleur, ou ne montre qu’un point"


def drawn(content: bytes, media_type: str) -> tuple[bytes, str]:
    """The same, where it shows something on white paper; `NothingDrawn` where it does not."""
    with Image.open(BytesIO(content), formats=KEPT_AS) as picture:
        seen = _plain(picture, "JPEG").convert("L")
    shades = seen.histogram()
    paper = shades.index(max(shades))
    strokes = seen.point([255 * (abs(shade - paper) > FAINT) for shade in range(256)]).getbbox()
    if strokes is None or max(strokes[2] - strokes[0], strokes[3] - strokes[1]) < DOT:
        raise NothingDrawn
    return content, media_type


def smaller(content: bytes, longest: int) -> tuple[bytes, str]:
    """The picture with no side over `longest` pixels, and its media type; as it is where it has none."""
    with Image.open(BytesIO(content), formats=KEPT_AS) as picture:
        if max(picture.size) <= longest:
            return content, f"image/{str(picture.format).lower()}"
    return remade(content, longest)


def remade(content: bytes, longest: int = LONGEST) -> tuple[bytes, str]:
    """The picture as a JPEG or PNG, no side over `longest` pixels, and its media type; the same for the same bytes.

    `Unsuitable`, before anything is decoded, if that would take too much memory; other exceptions if it is no picture.
    """
    # Opening a WebP allocates its canvases, so it is limited here; others in `_check_room`, by their mode.
    Image.MAX_IMAGE_PIXELS = ROOM // WEBP // 2 if content[8:12] == b"WEBP" else None
    if content[4:8] == b"ftyp":
        from pillow_heif import register_heif_opener  # which takes time that other pictures need not wait for

        register_heif_opener(thumbnails=False)
    try:
        picture: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise TooManyPixels(millions=ROOM // WEBP // 1_000_000) from None
    kept = "PNG" if picture.format == "PNG" else "JPEG"
    width, height = picture.size
    shrunk = _shrunk(width, height, longest)
    picture.draft(None, shrunk)  # a large JPEG is decoded at a half, a quarter or an eighth
    if picture.format == "HEIF":
        _check_heic(picture, 4 * min(width, longest) * height)
    else:
        _check_room(picture, width * height, longest)
    picture.load()
    turn = TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    # One variable only, so that the previous picture is freed immediately.
    if picture.format == "WEBP":
        picture = picture.copy()  # frees the file and its canvases
    picture = _resizable(picture)
    if picture.size != shrunk:
        picture = picture.resize(shrunk, Image.Resampling.LANCZOS)
    picture = _plain(picture, kept)
    if turn is not None:
        picture = picture.transpose(turn)
    # On a new canvas: Pillow would save the metadata of the opened picture too.
    canvas = Image.new(picture.mode, picture.size)
    canvas.paste(picture)
    del picture
    made = BytesIO()
    canvas.save(made, kept, **({"quality": QUALITY} if kept == "JPEG" else {}))
    return made.getvalue(), f"image/{kept.lower()}"


def _shrunk(width: int, height: int, longest: int) -> tuple[int, int]:
    longer = max(width, height)
    if longer <= longest:
        return width, height
    return max(1, round(width * longest / longer)), max(1, round(height * longest / longer))


def _check_room(picture: Image.Image, whole: int, longest: int) -> None:
    """Refuses a picture that would take too much memory at the peak of decoding and resizing.

    `whole` is the number of pixels before `draft` reduced it.
    """
    if picture.format == "WEBP":
        return  # counted when it was opened
    width, height = picture.size
    pixels = width * height
    if "transparency" in picture.info:
        pixel, after = SEE_THROUGH, 4
    elif picture.mode in GREY:
        pixel, after = GREY[picture.mode], 1
    else:
        pixel, after = COLOURED[picture.mode], 4
    decoding = pixel * pixels + whole * _coefficients(picture)
    # Pillow resizes the width first, then the height: this is the picture in between.
    halfway = after * min(width, longest) * height
    if decoding + halfway + KEPT > ROOM:
        # A limit that holds for any shape: the picture in between is never larger than the whole.
        most = (ROOM - KEPT) * whole // (decoding + after * pixels)
        raise TooManyPixels(millions=most // 1_000_000)


def _check_heic(picture: Image.Image, halfway: int) -> None:
    """The same for a HEIC, of which less is held once it is decoded."""
    pixels = picture.width * picture.height
    plain = picture.mode in ("RGB", "L") and picture.info.get("chroma") in (400, 420)
    pixel, after = (HEIC, HEIC_AFTER) if plain else (RICH_HEIC, RICH_HEIC_AFTER)
    if max(pixel * pixels, after * pixels + halfway + KEPT) > ROOM:
        raise TooManyPixels(millions=min(ROOM // pixel, (ROOM - KEPT) // (after + 4)) // 1_000_000)


def _coefficients(picture: Image.Image) -> int:
    """Bytes per full-size pixel that a progressive JPEG takes, whatever size it is decoded at; 0 for other pictures."""
    if "progressive" not in picture.info:
        return 0
    parts: list[tuple[int, int, int, int]] = getattr(picture, "layer")  # noqa: B009 – the stubs lack it
    most = max(across for _, across, _, _ in parts) * max(down for _, _, down, _ in parts)
    # 16 bits for each sample (ITU-T T.81, A.3.4).
    return -(-2 * sum(across * down for _, across, down, _ in parts) // most)


def _resizable(picture: Image.Image) -> Image.Image:
    """The picture in a mode that resizes well: no palette, no 16 bits, transparency in a channel of its own."""
    if picture.mode == "I;16":
        # `convert` would cut the upper bits off, not scale them.
        return picture.point(lambda grey: grey * (1 / 256)).convert("L")
    if "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture.convert({"1": "L", "P": "RGB"}[picture.mode]) if picture.mode in ("1", "P") else picture


def _plain(picture: Image.Image, kept: str) -> Image.Image:
    """The picture in a mode that every reader knows; transparent parts become white where a JPEG is kept."""
    if picture.mode == "L":
        return picture
    if picture.mode not in ("LA", "RGBA"):
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    if kept == "PNG":
        return picture
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture)
    return paper
