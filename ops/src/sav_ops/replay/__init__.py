"""Replays of the event logs: to a read side (rebuild), to a service that missed events (heal), to all (refresh)."""
