"""Réclamations and the clients who open them."""
