"""The embedding model of a registry: recorded with the first ingest, loaded only when there is work for it."""

from dataclasses import replace
from functools import cached_property

from registry import settings
from registry.database.store import models
from registry.database.store.models import Foundation
from registry.database.store.transactions import Transactions
from registry.errors import ModelMismatch, ScopeMismatch
from registry.ingest.options import IngestOptions
from registry.input.model_names import DEFAULT_MODEL, recorded_name
from registry.input.trust import insist_on_model, name_model
from registry.speech.embedder import Embedder, load_embedder


class ModelInUse:
    """What the registry is built on, and the loaded model that goes with it."""

    def __init__(self, transactions: Transactions, options: IngestOptions) -> None:
        """Compare the model and the scope that are asked for with those that are recorded.

        Raises:
            ModelMismatch, ScopeMismatch: The registry is built on another model or scope.
        """
        with transactions.begin() as connection:
            recorded = models.foundation(connection)
        self._transactions = transactions
        self._recorded = recorded
        self._asked = options
        self._asked_name = None if options.model is None else recorded_name(options.model)
        if self._asked_name is not None:
            name_model(self._asked_name)
        if recorded is not None:
            self._refuse_other(recorded)

    @cached_property
    def embedder(self) -> Embedder:
        """The loaded model, checked against what is recorded; loading takes seconds.

        Raises:
            ModelUnnamed: Only the registry names it, nobody of this machine.
            ModelMismatch: It is another than what is recorded.
        """
        recorded_as = None if self._recorded is None else self._recorded.name
        name = self._asked_name or (DEFAULT_MODEL if recorded_as is None else insist_on_model(recorded_as))
        embedder = load_embedder(name, self._asked.runtime)
        if self._recorded is not None and self._recorded.fingerprint != embedder.fingerprint:
            raise ModelMismatch(
                recorded=f"{self._recorded.name} ({self._recorded.fingerprint[:12]})",
                requested=f"{embedder.name} ({embedder.fingerprint[:12]})",
            )
        return embedder

    @cached_property
    def foundation(self) -> Foundation:
        """What the registry is built on, laid now if this is its first ingest; the rate may change any time."""
        laid = self._recorded or self._lay_foundation()
        if self._asked.false_merge_rate is None:
            return laid
        with self._transactions.begin() as connection:
            models.set_false_merge_rate(connection, self._asked.false_merge_rate)
        return replace(laid, false_merge_rate=self._asked.false_merge_rate)

    @property
    def name_and_fingerprint(self) -> tuple[str, str]:
        """The model's, for whoever loads the model elsewhere by its name.

        Raises:
            ModelUnnamed: Nobody of this machine named it.
        """
        return insist_on_model(self.foundation.name), self.foundation.fingerprint

    def _lay_foundation(self) -> Foundation:
        embedder = self.embedder
        scope = self._asked.scope or settings.DEFAULT_SCOPE
        with self._transactions.begin() as connection:
            laid = models.lay_foundation(connection, embedder.name, embedder.fingerprint, embedder.dimension, scope)
        self._refuse_other(laid)
        return laid

    def _refuse_other(self, recorded: Foundation) -> None:
        if self._asked_name not in (None, recorded.name):
            raise ModelMismatch(recorded=recorded.name, requested=self._asked_name)
        if self._asked.scope not in (None, recorded.scope):
            raise ScopeMismatch(recorded=recorded.scope, requested=self._asked.scope)
