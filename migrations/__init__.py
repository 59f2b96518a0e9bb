"""Alembic migrations of the registry's tables: linear, frozen, forward only. The way back is a backup."""
