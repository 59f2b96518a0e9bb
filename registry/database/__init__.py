"""Reach a registry's database, bring it up to date, look into it and ask it."""
