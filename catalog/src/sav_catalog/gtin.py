"""Global Trade Item Numbers."""


def has_check_digit(gtin: str) -> bool:
    """Whether the last digit is the one that follows from the others (GS1 General Specifications, 7.9.1)."""
    weighted = (int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(gtin)))
    return sum(weighted) % 10 == 0
