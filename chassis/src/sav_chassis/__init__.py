"""The base of every service. Its promises are listed in docs/architecture.md."""
