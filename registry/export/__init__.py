"""Regenerate the numbered speaker folders from the database."""

from registry.export.report import ExportReport
from registry.export.run import export

__all__ = ["ExportReport", "export"]
