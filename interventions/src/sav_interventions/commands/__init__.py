"""Commands about visits, work, reports, warranties and invoices."""
