"""Commands about clients and réclamations, by noun."""
