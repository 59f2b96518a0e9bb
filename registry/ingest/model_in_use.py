"""The embedding model of a registry: recorded with the first ingest, loaded only when there is work for it."""

from functools import cached_property

from sqlalchemy import Engine

from registry import settings
from registry.embedder import DEFAULT_MODEL, Embedder, load_embedder, recorded_name
from registry.errors import ModelMismatch, ScopeMismatch
from registry.store import models
from registry.store.models import Foundation


class ModelInUse:
    """What the registry is built on, and the loaded model that goes with it."""

    def __init__(self, engine: Engine, model: str | None, scope: str | None) -> None:
        """Compare what is asked for with what is recorded.

        Raises:
            ModelMismatch, ScopeMismatch: The registry is built on another model or scope.
        """
        with engine.begin() as connection:
            recorded = models.foundation(connection)
        self._engine = engine
        self._recorded = recorded
        self._asked_name = None if model is None else recorded_name(model)
        self._asked_scope = scope
        if recorded is not None:
            self._refuse_other(recorded)

    @cached_property
    def embedder(self) -> Embedder:
        """The loaded model, checked against what is recorded; loading takes seconds."""
        recorded_as = None if self._recorded is None else self._recorded.name
        embedder = load_embedder(self._asked_name or recorded_as or DEFAULT_MODEL)
        if self._recorded is not None and self._recorded.fingerprint != embedder.fingerprint:
            raise ModelMismatch(
                recorded=f"{self._recorded.name} ({self._recorded.fingerprint[:12]})",
                requested=f"{embedder.name} ({embedder.fingerprint[:12]})",
            )
        return embedder

    @cached_property
    def foundation(self) -> Foundation:
        """What the registry is built on, laid now if this is its first ingest."""
        if self._recorded is not None:
            return self._recorded
        embedder = self.embedder
        scope = self._asked_scope or settings.DEFAULT_SCOPE
        with self._engine.begin() as connection:
            laid = models.lay_foundation(connection, embedder.name, embedder.fingerprint, embedder.dimension, scope)
        self._refuse_other(laid)
        return laid

    def _refuse_other(self, recorded: Foundation) -> None:
        if self._asked_name not in (None, recorded.name):
            raise ModelMismatch(recorded=recorded.name, requested=self._asked_name)
        if self._asked_scope not in (None, recorded.scope):
            raise ScopeMismatch(recorded=recorded.scope, requested=self._asked_scope)
