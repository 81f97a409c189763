"""What people sign in with, in words that they know."""

# By what a user agent says; of several the first: most browsers call themselves Chrome and Safari too.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def named(agent: str | None) -> str | None:
    """Browser and system, as `Firefox, Windows`; no other words of the agent, which whoever signs in chooses."""
    known = (
        next((name for sign, name in table.items() if sign in (agent or "")), None)
        for table in (BROWSERS, SYSTEMS)
    )
    return ", ".join(filter(None, known)) or None
