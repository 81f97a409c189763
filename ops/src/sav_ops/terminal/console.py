"""The terminal that `sav` writes to."""

from rich.console import Console

out = Console(highlight=False)
