"""What every service stands on. The promises it keeps are listed in docs/architecture.md."""
