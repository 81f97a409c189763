"""Failed work: tasks of the services and dead letters of the broker; list them, try them again, give them up."""
