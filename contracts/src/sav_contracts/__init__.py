"""The messages of SAV: what services, the edge and other systems say to each other. Pydantic and nothing else."""
