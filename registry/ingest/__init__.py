"""Take nightly groups in: read, embed, persist, then decide who is who."""

from registry.ingest.ingesting import ingest
from registry.ingest.report import GroupReport, IngestReport

__all__ = ["GroupReport", "IngestReport", "ingest"]
