"""Reactions to what happens to products and parts elsewhere."""
