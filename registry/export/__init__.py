"""Regenerate the numbered speaker folders from the database."""

from registry.export.exporting import export
from registry.export.report import ExportReport

__all__ = ["ExportReport", "export"]
