"""Events: published from the outbox, consumed by reactions and projections."""
