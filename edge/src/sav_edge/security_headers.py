"""The security headers of every response: they limit what a browser does with it."""

from sav_edge.request_context import Header

POLICY = b"content-security-policy"
# Responses are data: nothing in them runs, loads or is shown inside another page.
DATA: Header = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
# The page to try the API on has scripts, styles and pictures from this server; some styles are inline.
PAGE: Header = (
    POLICY,
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
# The small pages: forms that only this server takes, with one stylesheet and no script.
FORM_PAGE: Header = (
    POLICY,
    b"default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    b"frame-ancestors 'none'",
)
ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
# A year (RFC 6797); sent only where the public URL uses TLS.
TLS_ONLY: Header = (b"strict-transport-security", b"max-age=31536000")


def headers(public_url: str) -> tuple[Header, ...]:
    """The headers of every response, without `Content-Security-Policy`, which differs."""
    return (*ALWAYS, TLS_ONLY) if public_url.startswith("https://") else ALWAYS
