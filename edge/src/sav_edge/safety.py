"""What browsers are told with every answer, so that none of them does more with it than it is for."""

from sav_edge.call import Header

POLICY = b"content-security-policy"
# Answers are data: nothing in them runs, loads or is shown inside another page.
DATA: Header = (POLICY, b"default-src 'none'; frame-ancestors 'none'")
# The page to try the API on has scripts, styles and pictures of its own; its styles stand in the page too.
PAGE: Header = (
    POLICY,
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)
ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
# A year (RFC 6797); only where TLS is known to be there.
TLS_ONLY: Header = (b"strict-transport-security", b"max-age=31536000")


def headers(public_url: str) -> tuple[Header, ...]:
    """For every answer; `Content-Security-Policy` differs and is not among them."""
    return (*ALWAYS, TLS_ONLY) if public_url.startswith("https://") else ALWAYS
