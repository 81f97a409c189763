"""Working hours, free slots, appointments, planning conflicts."""
