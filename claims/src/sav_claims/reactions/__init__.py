"""Reactions of claims to events about accounts, products, stock, visits and appointments."""
