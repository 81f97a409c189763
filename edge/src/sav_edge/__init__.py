"""The HTTP door: routes from the surface, reads from the read model, commands to their owners."""
