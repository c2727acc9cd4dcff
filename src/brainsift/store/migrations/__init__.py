"""Changes of the tables, one file each from the first schema on, applied by Alembic (`store.migrate`).

A file here is never changed once it was released: databases were made by it. `tests/store/test_migrations.py` checks
that all of them together make the tables of `store.schema`.
"""
