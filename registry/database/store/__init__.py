"""All SQL, as functions with names: each takes a connection, is one set-based step, and commits nothing."""
