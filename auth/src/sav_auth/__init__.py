"""Accounts: who may sign in, as what."""
