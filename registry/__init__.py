"""A database-backed, incremental registry of the voices heard on the radio."""

__version__ = "0.1.0"
