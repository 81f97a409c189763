"""What is done later: timers, effects, parked events."""
