"""Regenerate the numbered speaker folders from the database."""

from registry.export.run import ExportReport, export

__all__ = ["ExportReport", "export"]
