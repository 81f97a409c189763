"""Screens uploaded PDFs: refuses those that are encrypted, contain actions or have other files attached."""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, PasswordError, Pdf, PdfError, Stream, String

from sav_edge.upload_errors import Unsuitable

# Keys and names that make a PDF do something when it is opened or clicked (ISO 32000-2, 12.6).
ACTIVE = {
    *(
        "/AA",
        "/JavaScript",
        "/JS",
        "/Launch",
        "/Rendition",
        "/RichMedia",
        "/RichMediaContent",
        "/RichMediaExecute",
    ),
    *("/XFA", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Movie", "/GoTo3DView"),
    *("/Thread", "/Sound", "/Hide", "/SetOCGState", "/ResetForm"),
    *("/Renditions", "/AlternatePresentations", "/OnInstantiate"),
}
# The annotations that only show something on a page, or lead to a place (ISO 32000-2, table 171): no films, sounds,
# three-dimensional scenes or files.
SHOWING = {
    *("/Text", "/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine", "/Highlight"),
    *("/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Stamp", "/Ink", "/Popup", "/Widget"),
    *("/PrinterMark", "/TrapNet", "/Watermark", "/Redact"),
}
# The schemes that a link may have; `javascript:` is not one of them.
PLACES = re.compile(rb"\s*(https?|mailto|tel):", re.IGNORECASE)
# The first element of an electronic invoice, with its namespace: Factur-X (CII), ZUGFeRD 1, UBL.
E_INVOICES = {
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100 CrossIndustryInvoice",
    "urn:ferd:CrossIndustryDocument:invoice:1p0 CrossIndustryDocument",
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2 Invoice",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2 CreditNote",
}
# Elements that a browser shows, and whose scripts it runs, in any XML.
SHOWN = ("http://www.w3.org/1999/xhtml ", "http://www.w3.org/2000/svg ")
# The names under which an attached file is kept (ISO 32000-2, table 43).
NAMES_OF_FILE = ("/F", "/UF", "/DOS", "/Mac", "/Unix")


class CutOff(Unsuitable):
    en = "this PDF is cut off; send it again"
    fr = "ce PDF est tronqué ; renvoyez-le"


class Locked(Unsuitable):
    en = "this PDF is protected with a password; send it without one"
    fr = "ce PDF est protégé par un mot de passe ; envoyez-le sans protection"


class Damaged(Unsuitable):
    en = "this PDF is damaged; print it into a new PDF and send that"
    fr = "ce PDF est endommagé ; imprimez-le dans un nouveau PDF et envoyez celui-ci"


class Acts(Unsuitable):
    en = "this PDF holds scripts or actions; print it into a new PDF and send that"
    fr = "ce PDF contient des scripts ou des actions ; imprimez-le dans un nouveau PDF et envoyez celui-ci"


class BringsFiles(Unsuitable):
    en = "this PDF has other files attached; print it into a new PDF and send that"
    fr = "d’autres fichiers sont joints à ce PDF ; imprimez-le dans un nouveau PDF et envoyez celui-ci"


class TakenFromElsewhere(Unsuitable):
    en = "this PDF takes what it shows from other files; print it into a new PDF and send that"
    fr = (
        "ce PDF tire ce qu’il affiche d’autres fichiers ; imprimez-le dans un nouveau PDF et envoyez celui-ci"
    )


def screened(content: bytes) -> bytes:
    """The PDF unchanged, or repaired where it has faults; `Unsuitable` says why it is not kept."""
    if b"%%EOF" not in content[-1024:]:
        raise CutOff
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            return _screened(pdf, content)
    except PasswordError:
        raise Locked from None
    except (PdfError, RuntimeError) as error:
        raise Damaged from error


def _screened(pdf: Pdf, content: bytes) -> bytes:
    if pdf.is_encrypted:
        raise Locked
    opening = pdf.Root.get(Name.OpenAction)
    if isinstance(opening, Dictionary) and opening.get(Name.S) != Name.GoTo:
        raise Acts
    for one in _containers(pdf):
        if _acts(one):
            raise Acts
        if _brings_files(one):
            raise BringsFiles
        # Its content, or the page or picture that it shows, is in another file (ISO 32000-2, 7.3.8.2, 8.10.4 and 14.11.7).
        if isinstance(one, Stream) and (Name.F in one or Name.Ref in one or Name.OPI in one):
            raise TakenFromElsewhere
    warnings = pdf.get_warnings()
    if any("bad_alloc" in warning for warning in warnings):
        raise MemoryError  # qpdf leaves out objects it has no memory for, and goes on
    if not warnings:
        return content
    # Each reader repairs a file in its own way and might see what was not screened: so the repaired file is kept.
    repaired = BytesIO()
    pdf.save(repaired, deterministic_id=True)
    return repaired.getvalue()


def _containers(pdf: Pdf) -> Iterator[Object]:
    """Every dictionary, array and stream in the file, whether or not anything refers to it."""
    waiting: list[Object] = [pdf.trailer, *pdf.objects]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (Dictionary, Stream, Array)):
            yield one
            # Indirect objects are in the list already.
            waiting.extend(value for value in _values(one) if not value.is_indirect)


def _acts(one: Object) -> bool:
    names = set(map(str, one.keys())) if not isinstance(one, Array) else set()
    if "/URI" in names and one.get(Name.S) == Name.URI:
        place = one[Name.URI]
        # `bytes` of a number would be that many zeros.
        if not isinstance(place, String) or not PLACES.match(bytes(place)):
            return True
    # A program in PostScript, which printers run.
    if isinstance(one, Stream) and Name.PS in (one.get(Name.Subtype), one.get(Name.Subtype2)):
        return True
    if any(str(kind) not in SHOWING for kind in _annotations(one) if kind != Name.FileAttachment):
        return True
    return not ACTIVE.isdisjoint(names | {str(value) for value in _values(one) if isinstance(value, Name)})


def _annotations(one: Object) -> list[Object | None]:
    """The kinds of the annotations of a page, or of this annotation."""
    if isinstance(one, Array):
        return []
    annotations = one.get(Name.Annots)
    there = list(annotations) if isinstance(annotations, Array) else []
    own = [one] if one.get(Name.Type) == Name.Annot else []
    return [each.get(Name.Subtype) for each in (*own, *there) if isinstance(each, Dictionary)]


def _brings_files(one: Object) -> bool:
    """Whether other files are attached here, with or without those that belong to them (ISO 32000-2, 7.11.4)."""
    if isinstance(one, Array):
        return False
    related = one.get(Name.RF)
    belonging = isinstance(related, Dictionary) and any(name in related for name in NAMES_OF_FILE)
    return (
        belonging or Name.FileAttachment in _annotations(one) or (Name.EF in one and not _is_e_invoice(one))
    )


def _values(one: Object) -> list[Object]:
    """The values of a container, without numbers and the like, which pikepdf returns as Python objects."""
    values: Iterable[Any] = one if isinstance(one, Array) else (value for _, value in one.items())
    return [value for value in values if isinstance(value, Object)]


def _is_e_invoice(attached: Object) -> bool:
    """Whether an attached file is an electronic invoice in XML, as in Factur-X and its like, and nothing else."""
    if not isinstance(attached.EF, Dictionary):
        return False
    names = [str(attached[name]) for name in NAMES_OF_FILE if name in attached]
    files = [file for _, file in attached.EF.items()]
    return (
        bool(names)
        and all(name.lower().endswith(".xml") for name in names)
        and all(isinstance(file, Stream) and _bills(file.read_bytes()) for file in files)
    )


def _bills(xml: bytes) -> bool:
    """Whether it is the XML of an invoice that only says something: no page, drawing, style sheet or entity in it."""
    elements: dict[str, None] = {}
    parser = ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, _: elements.setdefault(name)
    parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(xml, True)
    except (ExpatError, LookupError, ValueError):  # LookupError: an unknown encoding
        return False
    return next(iter(elements)) in E_INVOICES and not any(name.startswith(SHOWN) for name in elements)


def _refuse(*_: object) -> None:
    raise ValueError
