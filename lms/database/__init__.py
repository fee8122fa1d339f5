"""PostgreSQL and embedded SQLite as one: types, tables, transactions, row-level security and migrations."""
