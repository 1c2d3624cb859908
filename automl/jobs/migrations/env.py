"""Alembic's entry: runs the revisions on the connection that ``engine.migrate`` hands over."""

from alembic import context

from automl.jobs.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
# The caller has begun the transaction and ends it.
context.run_migrations()
