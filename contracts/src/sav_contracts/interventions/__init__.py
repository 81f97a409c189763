"""What interventions owns: visits, reports, invoices."""
