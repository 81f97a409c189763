"""Alembic's entry: runs on the connection that `sav_chassis.migrate` opened."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"], version_table=config.get_main_option("version_table") or ""
)
context.run_migrations()
