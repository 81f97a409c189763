"""The address a request comes from. Only trusted proxies may name another one than their own."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LISTS = (b"x-forwarded-for", b"forwarded")
# `for=192.0.2.60;proto=http`, `for="[2001:db8::1]:4711"` (RFC 7239, 4 and 6).
FOR = re.compile(r'(?:^|[;,\s])for=(?:"([^"]*)"|([^;,\s]*))', re.IGNORECASE)
# A port, or the brackets of an IPv6 address with or without one.
PORT = re.compile(r"^\[(.*)\](?::\d+)?$|^([^:]*):\d+$")


class Addresses:
    """Finds the client's address. `trusted` are the networks of proxies whose forwarding headers are believed."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted
        self._is_trusted = lru_cache(4096)(self._among)

    def client(self, peer: str | None, sent: Mapping[bytes, bytes]) -> str | None:
        """The last forwarded address that is not a trusted proxy's; the peer's own if the peer is no trusted proxy."""
        if peer is None or not self.is_proxy(peer):
            return peer
        forwarded_for, forwarded = (sent.get(name, b"").decode("latin-1") for name in LISTS)
        plain = [part.strip() for part in forwarded_for.split(",")] if forwarded_for else []
        marked = [quoted or bare for quoted, bare in FOR.findall(forwarded)]
        found = {self._last(peer, way) for way in (plain, marked) if way}
        # A proxy sets one of the two headers and passes the other on unchanged. Where they differ, neither is believed.
        return found.pop() if len(found) == 1 else peer

    def is_proxy(self, peer: str) -> bool:
        """Whether the peer is a trusted proxy."""
        return bool(self._trusted) and self._is_trusted(peer)

    def _last(self, peer: str, way: Sequence[str]) -> str:
        for part in reversed(way):
            address = _parsed(part)
            if address is None:
                return peer
            peer = str(address)
            if not self._is_trusted(peer):
                return peer
        return peer

    def _among(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(address in network for network in self._trusted)


def _parsed(text: str) -> Address | None:
    if port := PORT.match(text):
        text = port[1] or port[2] or ""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


@lru_cache(10_000)
def client_network(address: str | None) -> str:
    """What counts as one caller: an IPv4 address, or the /64 network that a connection gets in IPv6 (RFC 6177)."""
    parsed = _parsed(address) if address else None
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed or address or "nowhere")
