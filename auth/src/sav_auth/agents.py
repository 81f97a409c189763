"""Browsers and systems, in words that people know."""

from ua_parser import parse

# Only these names are shown: a family name that the parser finds may hold words which the caller chose.
BROWSERS = ("Edge", "Opera", "Samsung Internet", "Firefox", "Chrome", "Safari")
SYSTEMS = {name: name for name in ("iPhone", "iPad", "Android", "Windows")} | {
    "Mac OS X": "macOS",
    "Chrome OS": "ChromeOS",
    "Linux": "Linux",
    "Ubuntu": "Linux",
}
# Characters. No browser sends a longer user agent, and the parser's patterns are slow on long texts.
LONGEST = 500


def browser_and_system(agent: str | None) -> str | None:
    """Browser and system, as `Firefox, Windows`; no other words of the user agent."""
    known = parse((agent or "")[:LONGEST])
    browser = known.user_agent.family if known.user_agent else ""
    kinds = [part.family for part in (known.device, known.os) if part]
    browser_and_system = [name for name in BROWSERS if name in browser][:1] + [
        SYSTEMS[kind] for kind in kinds if kind in SYSTEMS
    ][:1]
    return ", ".join(browser_and_system) or None
