"""Commands and queries: sent over the broker, answered by their owner."""
