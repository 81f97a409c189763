"""Messages of claims, by noun."""
