"""What Alembic runs for each upgrade: the migrations, on the connection and in the transaction of the caller."""

from __future__ import annotations

from alembic import context

from brainsift.store.schema_version import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transactional_ddl=True
)
context.run_migrations()
