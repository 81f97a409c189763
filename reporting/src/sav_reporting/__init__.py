"""Reports and feedback."""
