"""PDFs as people send them, and as nobody should."""

from io import BytesIO

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import zxingcpp
from PIL import Image

CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << >> >>"


def of_objects(*objects: bytes) -> bytes:
    """A PDF with a right table of its objects, in the plainest form; the first is its catalog."""
    made, places = b"%PDF-1.7\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Root 1 0 R /Size %d >>\nstartxref\n%d\n%%%%EOF\n"
    return made + end % (size, table, size, len(made))


def paper(*objects: str, encryption: pikepdf.Encryption | None = None, **catalog: str) -> bytes:
    """A PDF of one page with its objects compressed, as most are today; `objects` and `catalog` as they stand in a PDF."""
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        kept = [pdf.make_indirect(pikepdf.Object.parse(one.encode())) for one in objects]
        pdf.pages[0].obj["/PieceInfo"] = pikepdf.Array(kept)
        for name, one in catalog.items():
            pdf.Root[f"/{name}"] = pikepdf.Object.parse(one.encode())
        made = BytesIO()
        packed = pikepdf.ObjectStreamMode.generate
        pdf.save(made, object_stream_mode=packed, encryption=encryption or False, static_id=not encryption)
    return made.getvalue()


def with_file(name: str, content: bytes) -> bytes:
    """A PDF that brings a file along."""
    with pikepdf.open(BytesIO(PDF)) as pdf:
        pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, content, filename=name)
        made = BytesIO()
        pdf.save(made, deterministic_id=True)
    return made.getvalue()


PDF = paper()
# Dots to an inch, of a label printer.
PRINTED = 300


def text_of(pdf: bytes) -> str:
    """What a reader finds written on the paper, with single spaces."""
    with pypdfium2.PdfDocument(pdf) as read:
        text = " ".join(page.get_textpage().get_text_range() for page in read)
    return " ".join(text.split())


def attached(pdf: bytes) -> bytes:
    """The only file that is attached to it."""
    with pikepdf.open(BytesIO(pdf)) as read:
        [file] = read.attachments.values()
        return file.get_file().read_bytes()


def check_archivable(pdf: bytes) -> None:
    """What PDF/A-3b asks for, as far as another program than the one that made it can see."""
    with pikepdf.open(BytesIO(pdf)) as read:
        metadata = read.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        [intent] = read.Root.OutputIntents
        assert intent.S == "/GTS_PDFA1"
        assert intent.DestOutputProfile.read_bytes()
        assert not read.is_encrypted
        fonts = [each for each in read.objects if _is_font(each)]
        assert fonts
        for font in fonts:
            assert set(font.keys()) & {"/FontFile", "/FontFile2", "/FontFile3"}, font
        for name in read.attachments:
            assert name == "factur-x.xml"
        for file in read.Root.get("/AF", []):
            assert [str(file.F), str(file.UF)] == ["factur-x.xml"] * 2


def _is_font(each: pikepdf.Object) -> bool:
    return isinstance(each, pikepdf.Dictionary) and each.get("/Type") == "/FontDescriptor"


def picture_of(pdf: bytes) -> Image.Image:
    """The only page, as it is printed."""
    with pypdfium2.PdfDocument(pdf) as read:
        [page] = read
        picture: Image.Image = page.render(scale=PRINTED / 72).to_pil()
    return picture


def codes_on(picture: Image.Image) -> list[zxingcpp.Barcode]:
    """The bar codes that a phone would find on it."""
    return list(zxingcpp.read_barcodes(picture))
