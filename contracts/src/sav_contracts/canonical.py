"""The canonical forms of what people type. Unique or compared values have one, so that equal things are equal texts.

The types of commands and list filters apply it. Those of events and views never do: they must read everything that was
ever recorded. Each function answers the canonical form, which is its own form too, or raises a ValueError for people.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING
from unicodedata import category, normalize

import idna
from email_validator import EmailNotValidError, validate_email

from sav_contracts.wrong_value import WrongValue

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

# Longer than any accepted text. Such a text is refused for its length, so it is not worked on.
LONGEST = 20_000
# Octets of the part before the `@`, and of a path without its brackets (RFC 5321, 4.5.3.1).
_LOCAL_PART, _ADDRESS = 64, 254

# Invisible characters (Unicode: Default_Ignorable_Code_Point, interlinear annotation, the blank Braille pattern). They
# include marks that change the direction of text: letters carry their own direction.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_NON_JOINER, _JOINER = "\u200c\u200d"
_STYLES = frozenset("\ufe0e\ufe0f")
_KEYCAP = "\u20e3"
# How many letters around a joiner are looked at for its context (RFC 5892, Appendix A).
_AROUND = 30

_BREAKS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
_CONTROLS_BUT_BREAKS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")

# Scheme, host and port of an origin, and a host in ASCII.
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[^\s\x00-\x1f\x7fA-Z/?#@:\[\]\\%*]+)(?::([0-9]{1,5}))?")
_HOST = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_PORTS = {"https": 443, "http": 80}

_PHONE = re.compile(r"[\d +().\-/]{3,40}")
# Regions besides mainland France that its ten-digit numbers reach: Réunion, Guadeloupe with Saint-Martin and
# Saint-Barthélemy, Martinique, Guiana, Mayotte, Saint-Pierre-et-Miquelon.
_OVERSEAS = ("RE", "GP", "MQ", "GF", "YT", "PM")


class NotOneLine(WrongValue):
    code = "not_one_line"
    en = "one line of text: it holds a line break, a tab or another control character"
    fr = "une seule ligne de texte : elle contient un saut de ligne, une tabulation ou un autre caractère de contrôle"


class NotText(WrongValue):
    code = "not_text"
    en = "text: it holds a control character"
    fr = "du texte : il contient un caractère de contrôle"


class NoAddress(WrongValue):
    code = "no_address"
    en = "an e-mail address, such as name@example.com"
    fr = "une adresse e-mail, par exemple nom@example.com"


class NoOrigin(WrongValue):
    code = "no_origin"
    en = "the origin of a site as browsers send it, such as https://shop.example"
    fr = "l’origine d’un site telle que les navigateurs l’envoient, par exemple https://shop.example"


class NoPhone(WrongValue):
    code = "no_phone"
    en = "a telephone number, such as 06 12 34 56 78 or +33 6 12 34 56 78"
    fr = "un numéro de téléphone, par exemple 06 12 34 56 78 ou +33 6 12 34 56 78"


class WrongCheckDigit(WrongValue):
    code = "wrong_check_digit"
    en = "the last digit does not match the others: a digit is wrong or swapped"
    fr = "la clé de contrôle ne correspond pas : un chiffre est faux ou deux sont inversés"


class NoBarCode(WrongValue):
    code = "no_bar_code"
    en = "the 8, 12, 13 or 14 digits of a bar code"
    fr = "les 8, 12, 13 ou 14 chiffres d’un code-barres"


def line(text: str) -> str:
    """One line in NFC, with single spaces and without invisible characters."""
    text = visible(text).strip()
    if _CONTROLS.search(text):
        raise NotOneLine().error()
    return " ".join(text.split())


def prose(text: str) -> str:
    """NFC with `\\n` between lines and without invisible characters. Spaces are kept."""
    text = _BREAKS.sub("\n", visible(text)).strip()
    if _CONTROLS_BUT_BREAKS.search(text):
        raise NotText().error()
    return text


def reference(text: str) -> str:
    """A reference as written on paper: capitals, single spaces, NFKC (`ref 12 Ａ` is `REF 12 A`)."""
    return _settled(text, lambda said: line(_hyphens(normalize("NFKC", line(said).upper()))))


def serial(text: str) -> str:
    """A serial number as on a name plate: capitals, no spaces, NFKC; every dash becomes a hyphen."""
    return _settled(text, lambda said: reference(said).replace(" ", ""))


def postcode(text: str) -> str:
    """Capitals and single spaces; codes of digits only have no spaces (`75 002` is `75002`)."""
    code = reference(text)
    return code.replace(" ", "") if code.replace(" ", "").isdigit() else code


def email(text: str) -> str:
    """`local@domain` in lower case: the local part in NFC, the domain in ASCII by IDNA 2008 (UTS 46).

    Lower case, not `casefold`, which would turn a mailbox with `ß` into another one. Mail is sent to this form too, so
    it reaches the mailbox that was meant. Display names, quotes, comments and IP addresses are refused. A domain may
    have joiners where its letters need them (RFC 5892, Appendix A), as in Persian.
    """
    text = text.strip()
    plain, joined = _without_joiners(text)
    try:
        found = validate_email(plain, check_deliverability=False)
    except EmailNotValidError:
        found = None
    # A compatibility form of another letter (`ａ`, `ﬁ`, `ſ`) looks like somebody else's mailbox. Mail programs decode
    # what looks like an encoded word (RFC 2047).
    if (
        found is None
        or not found.ascii_domain
        or normalize("NFKC", found.local_part) != found.local_part
        or "=?" in found.local_part
        or len(found.local_part.encode()) > _LOCAL_PART
    ):
        raise NoAddress().error()
    local = _settled(found.local_part, lambda said: normalize("NFC", said.lower()))
    return f"{local}@{joined or found.ascii_domain}"


def _without_joiners(text: str) -> tuple[str, str | None]:
    """The address without the joiners of its domain, which `email-validator` takes nowhere; and the domain in ASCII.

    Unchanged where it has none, or one that is not valid there.
    """
    local, _, domain = text.rpartition("@")
    if len(text) > _ADDRESS or (domain.isascii() and "xn--" not in domain.lower()):
        return text, None
    try:
        said = idna.decode(domain, uts46=True)
        if _NON_JOINER not in said and _JOINER not in said:
            return text, None
        return f"{local}@{said.replace(_NON_JOINER, '').replace(_JOINER, '')}", idna.encode(said).decode()
    except ValueError:  # IDNAError, and what is no Punycode
        return text, None


def origin(text: str) -> str:
    """What browsers send as `Origin` (RFC 6454, 6.2): lower case, the host in ASCII (UTS 46), no default port, no path."""
    try:
        if not (found := _ORIGIN.fullmatch(text)):
            raise ValueError
        scheme, host, port = found[1], _host(found[2]), int(found[3] or _PORTS[found[1]])
        if not 0 < port < 65_536:
            raise ValueError
    except ValueError:
        raise NoOrigin().error() from None
    return f"{scheme}://{host}" + (f":{port}" if port != _PORTS[scheme] else "")


def _host(text: str) -> str:
    if text.startswith("["):
        return f"[{IPv6Address(text[1:-1])}]"
    plain = text.isascii() and "xn--" not in text
    host = text if plain else ".".join(map(_label, idna.uts46_remap(text).split(".")))
    if not _HOST.fullmatch(host):
        raise ValueError
    # What ends in a number is an address to browsers.
    return str(IPv4Address(host)) if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2]) else host


def _label(text: str) -> str:
    """A part of a host in ASCII. Browsers know emoji there (UTS 46), of which IDNA 2008 has none."""
    said = text[4:].encode().decode("punycode") if text.startswith("xn--") else text
    letters = "".join("a" if category(letter) in ("So", "Sk") else letter for letter in said)
    if letters == said:
        return idna.alabel(text).decode()
    idna.check_label(letters)
    made = "xn--" + said.encode("punycode").decode()
    if text not in (said, made) or idna.uts46_remap(said) != said:
        raise ValueError
    return made


def phone(text: str) -> str:
    """The E.164 number (`+33612345678`). Without a country prefix it is read as dialled in France, overseas included.

    Numbers of all other countries need their prefix (`+216…`, `00216…`). Numbers that no subscriber can have are
    refused, and so are extensions and short numbers.
    """
    # Imported only where a number is read: it costs a process 50 ms.
    import phonenumbers

    said = _hyphens(normalize("NFKC", visible(text))).strip()
    try:
        if not _PHONE.fullmatch(said):
            raise ValueError
        number = phonenumbers.parse(said, "FR")
        if number.country_code == 33:
            number = _where_it_leads(number)
        if not phonenumbers.is_valid_number(number):
            raise ValueError
    except (ValueError, phonenumbers.NumberParseException):
        raise NoPhone().error() from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def gtin(text: str) -> str:
    """14 digits with leading zeros (GS1 General Specifications): a shorter bar code names the same article."""
    # Imported only where a code is read: it costs a process 20 ms and 5 MB.
    from stdnum import ean
    from stdnum.exceptions import InvalidChecksum, ValidationError

    try:
        return ean.validate(serial(text)).zfill(14)
    except InvalidChecksum:
        raise WrongCheckDigit().error() from None
    except ValidationError:
        raise NoBarCode().error() from None


def password(text: str) -> str:
    """NFKC (NIST SP 800-63B, 3.1.1.2): the same keys make the same password on every system.

    NIST allows two forms. This one also turns no-break spaces, which French keyboards and Macs type by accident, into
    spaces, and full-width letters into letters.
    """
    return normalize("NFKC", text)


def code(text: str) -> str:
    """Lower-case letters and digits only: `ABCD-efgh 1234` is `abcdefgh1234`, `123 456` is `123456`."""
    return _settled(text, lambda said: "".join(filter(str.isalnum, normalize("NFKC", said).lower())))


def visible(text: str) -> str:
    """NFC without invisible characters. Joiners stay where they shape visible text: Persian, Indic scripts, emoji."""
    if text.isascii() or len(text) > LONGEST:
        return text
    return _settled(normalize("NFC", text), lambda said: normalize("NFC", _UNSEEN.sub(_seen, said)))


def or_itself(form: Callable[[str], str], text: str) -> str:
    """The canonical form of an old value, or the value itself where it has none."""
    try:
        return form(text)
    except ValueError:
        return text


def _settled(text: str, step: Callable[[str], str]) -> str:
    """Repeats a step until nothing changes, so that the form of a form is itself."""
    while (following := step(text)) != text:
        text = following
    return text


def _seen(found: re.Match[str]) -> str:
    mark, place = found[0], found.start()
    around = found.string[max(0, place - _AROUND) : place + _AROUND]
    here = min(place, _AROUND)
    before, after = around[here - 1 : here] if here else "", around[here + 1 : here + 2]
    if mark in _STYLES:
        return mark if after == _KEYCAP or (before and category(before) in ("So", "Sm")) else ""
    if mark == _JOINER and before and after and category(after) == "So":
        # Joined pictures (a family, a flag, a profession), perhaps with a colour or a style.
        return mark if category(before) in ("So", "Sk") or before in _STYLES else ""
    return mark if mark in (_NON_JOINER, _JOINER) and _shapes(around, here) else ""


def _shapes(text: str, place: int) -> bool:
    try:
        return idna.valid_contextj(text, place)
    except ValueError:
        return False  # next to a character without a name


def _hyphens(text: str) -> str:
    return "".join("-" if category(letter) == "Pd" or letter == "\u2212" else letter for letter in text)


def _where_it_leads(number: "PhoneNumber") -> "PhoneNumber":
    """The subscriber that a number of France's plan reaches: 0692… is Réunion, although it is dialled like France."""
    import phonenumbers
    from phonenumbers import PhoneNumberType as Kind

    said = f"0{number.national_number}"
    # Numbers with 08… have other tariffs, and are the same everywhere.
    for region in _OVERSEAS if not said.startswith("08") else ():
        # The numbers of Saint-Pierre-et-Miquelon have six digits, which are dialled after 0508.
        there = phonenumbers.parse(said.removeprefix("0508") if region == "PM" else said, region)
        if phonenumbers.number_type(there) in (Kind.FIXED_LINE, Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE):
            return there
    return number
