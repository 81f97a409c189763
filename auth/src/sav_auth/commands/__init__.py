"""Commands about accounts, sessions and grants, by noun."""
