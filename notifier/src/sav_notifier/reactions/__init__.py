"""Who is told of what, one function for each event, by noun."""

from sav_notifier.reactions import accounts, billing, products, reclamations, visits

__all__ = ["accounts", "billing", "products", "reclamations", "visits"]
