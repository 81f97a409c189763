"""Refuses heads that two servers could read differently: what is one request to a proxy must be one here (RFC 9112).

The parser itself refuses two lengths, a length with chunks, folded lines, bare line feeds and spaces in names.
"""

import re
from collections.abc import Sequence

from sav_chassis.errors import Malformed
from sav_edge.request_context import Header

# A name or an address, and perhaps a port (RFC 3986, 3.2.2, without the characters that no server name has).
HOST = re.compile(rb"(\[[0-9a-f:.]+\]|[\w.~%-]+)(:\d*)?", re.IGNORECASE | re.ASCII)


class OtherVersion(Malformed):
    en = "Send HTTP/1.1 or HTTP/1.0"
    fr = "Parlez HTTP/1.1 ou HTTP/1.0"


class HostMissing(Malformed):
    en = "Send exactly one Host header, with the name of this server"
    fr = "Envoyez exactement un en-tête Host, avec le nom de ce serveur"


class Fragment(Malformed):
    en = "Send the address without what follows a #"
    fr = "Envoyez l’adresse sans ce qui suit un #"


class OtherHost(Malformed):
    en = "The address names another server than the Host header"
    fr = "L’adresse nomme un autre serveur que l’en-tête Host"


class OtherEncoding(Malformed):
    en = "Of the transfer encodings only `chunked` is taken, and only in HTTP/1.1"
    fr = "Parmi les codages de transfert, seul `chunked` est accepté, et seulement en HTTP/1.1"


class OtherProtocol(Malformed):
    en = "No other protocol is spoken here: send a body without the header Upgrade"
    fr = "Aucun autre protocole n’est parlé ici : envoyez le corps sans l’en-tête Upgrade"


class MoreSpaces(Malformed):
    en = "Put one space before the address, and one behind it"
    fr = "Mettez une seule espace avant l’adresse, et une seule après"


def check_line(sent: bytes, method: bytes, target: bytes, version: str) -> None:
    """Raises `Malformed` where the request line was sent with other spaces: the parser skips them (RFC 9112, 3)."""
    if b"%b %b HTTP/%b\r\n" % (method, target, version.encode()) not in sent:
        raise MoreSpaces


def check(version: str, target: bytes, headers: Sequence[Header], other_protocol: bool) -> None:
    """Raises `Malformed` where it is not certain for whom the request is, or where it ends."""
    if version not in ("1.0", "1.1"):
        raise OtherVersion
    hosts = [value for name, value in headers if name == b"host"]
    if not (all(map(HOST.fullmatch, hosts)) and len(hosts) in ((1,) if version == "1.1" else (0, 1))):
        raise HostMissing
    if b"#" in target:
        raise Fragment
    if not target.startswith(b"/") and target != b"*":
        named = target.partition(b"://")[2].partition(b"/")[0]
        if [named.lower()] != [host.lower() for host in hosts]:
            raise OtherHost
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise OtherEncoding
    has_body = codings or any(name == b"content-length" and value != b"0" for name, value in headers)
    if other_protocol and has_body:
        # The parser takes the body for the other protocol's, and then for the next request.
        raise OtherProtocol
