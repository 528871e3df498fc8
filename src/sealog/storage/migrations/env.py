"""Alembic's entry: it runs inside a connection that the caller holds."""

from alembic import context

from sealog.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
