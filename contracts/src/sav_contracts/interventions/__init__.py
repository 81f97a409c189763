"""What interventions owns: technicians, visits, reports, invoices."""
