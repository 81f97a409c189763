"""What auth owns: accounts, sessions, policies."""
