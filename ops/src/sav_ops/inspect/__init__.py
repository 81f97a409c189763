"""The state of a platform and its past: processes and queues, events, logs."""
