"""The messages between services, the edge and other systems. Depends on Pydantic only."""
