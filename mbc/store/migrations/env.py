"""Where Alembic meets the record: on the caller's connection, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from mbc.store.migrations import VERSION_TABLE
from mbc.store.schema.tables import metadata

if hasattr(context, "config"):  # tools that only read modules import this one with no migration under way
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        render_as_batch=True,
    )
    context.run_migrations()
