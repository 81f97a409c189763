"""Whether a caller holds something already, by its entity tag."""


def holds(known: str | None, tag: str) -> bool:
    """Whether an If-None-Match (`known`) names the tag: `*`, or any of a list, compared weakly (RFC 9110, 13.1.2)."""
    if known is None:
        return False
    tag = tag.removeprefix("W/")
    return known.strip() == "*" or tag in [part.strip().removeprefix("W/") for part in known.split(",")]
