"""Header lines of a mail, as bytes. What people typed stays text in them, whichever program reads the mail.

Python's mail policies decode encoded words (RFC 2047) in a value, and lose spaces where they fold it. So they get
nothing that people typed. The older class `Header` takes a line of text as it is.
"""

import re
from email.header import Header
from email.utils import getaddresses
from typing import NamedTuple

import idna

from sav_notifier.user_text import one_line

# Characters of a line (RFC 5322, 2.1.1) and of an encoded word (RFC 2047, 2).
LONGEST_LINE, LONGEST_WORD = 78, 75

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN = re.compile(r"[!-~]+( [!-~]+)*")
_PHRASE = re.compile(rf"{_ATEXT}( {_ATEXT})*")
# RFC 6532: the local part may contain other characters than ASCII, where the server supports SMTPUTF8.
_LOCAL = r"[^\x00-\x20\x7f-\x9f\s()<>\[\]:;@\\,.\"]+"
_DOT_ATOM = re.compile(rf"{_LOCAL}(\.{_LOCAL})*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


class NoAddress(ValueError):
    """Mail cannot be sent to the given address."""


class Mailbox(NamedTuple):
    """A name, and an address as mail servers get it, with its domain in ASCII."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def mailbox(name: str, address: str) -> Mailbox:
    """The mailbox with this name and address; `NoAddress` where the address is invalid or ambiguous."""
    local, _, domain = address.rpartition("@")
    try:
        # IDNA 2008: IDNA 2003 turns straße into strasse, which is another domain.
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise NoAddress("the address has a domain that cannot exist") from error
    if not _DOT_ATOM.fullmatch(local) or one_line(local) != local or not _DOMAIN.fullmatch(domain):
        raise NoAddress("the address is none that mail can be sent to")
    if "=?" in local:  # an encoded word: many programs would use the address that it encodes
        raise NoAddress("the address would be read as another one")
    return Mailbox(one_line(name), f"{local}@{domain}")


def mailbox_of(written: str) -> Mailbox:
    """The mailbox written as `Name <a@example.com>`; `NoAddress` unless it is exactly one."""
    found = getaddresses([written])
    if len(found) != 1:
        raise NoAddress("it is not one address")
    return mailbox(*found[0])


def text_line(name: str, text: str) -> bytes:
    """A header whose value is text, as Subject is."""
    return f"{_begun(name, one_line(text), _PLAIN)}\r\n".encode()


def mailbox_line(name: str, of: Mailbox) -> bytes:
    """A header that names one mailbox, as From and To do."""
    if not of.name:
        return f"{name}: {of.address}\r\n".encode()
    begun, address = _begun(name, of.name, _PHRASE), f" <{of.address}>\r\n"
    full = len(begun.rpartition("\r\n")[2] + address.rstrip()) > LONGEST_LINE
    return (begun + ("\r\n" if full else "") + address).encode()


def _begun(name: str, text: str, plain: re.Pattern[str]) -> str:
    """The header's name and its text: unchanged where nothing in it can be misread, else encoded as a whole."""
    if "=?" in text or len(f"{name}: {text}") > LONGEST_LINE or not plain.fullmatch(text):
        text = Header(text, "utf-8", LONGEST_WORD, name).encode(linesep="\r\n")
    return f"{name}: {text}"
