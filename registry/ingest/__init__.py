"""Take nightly groups in: read, embed, persist, then decide who is who."""

from registry.ingest.report import GroupReport, IngestReport
from registry.ingest.run import ingest

__all__ = ["GroupReport", "IngestReport", "ingest"]
