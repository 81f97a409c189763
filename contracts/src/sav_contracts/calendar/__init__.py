"""Working hours, free slots, appointments, conflicts."""
