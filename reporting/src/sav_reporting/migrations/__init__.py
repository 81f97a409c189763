"""The schema of this room, step by step."""
