"""How Alembic runs our migrations: on the connection that `lms.database.migrate` opened, in its transaction."""

from alembic import context

from lms.database.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
