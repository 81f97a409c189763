"""Importing articles: what a line says, the check of all lines, then their import, and the report of wrong ones."""
