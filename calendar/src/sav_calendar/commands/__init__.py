"""Commands about appointments, working hours and conflicts, by noun."""
