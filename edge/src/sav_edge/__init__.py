"""The HTTP server: routes come from the surface, reads from the read model; commands go to their owners."""
