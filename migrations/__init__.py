"""Alembic migrations of the registry's schema, linear and frozen."""
