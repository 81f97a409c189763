"""Backup of everything that cannot be generated again, and restore."""
