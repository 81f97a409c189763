"""Notifications: who gets which message, by which channel, with which outcome."""
