"""What a person may ask of an ingest."""

from dataclasses import dataclass

from registry.speech.runtimes import Runtime


@dataclass(frozen=True)
class IngestOptions:
    """The options of `registry ingest`, each by its name there; by default nothing special is asked.

    Attributes:
        strict: Refuse everything, before any change, if anything is broken.
        as_named: Take broadcasters' names that look garbled for what they are.
        model: The embedding model; None for the recorded one, and in a new registry for the default.
        scope: "registry" or "broadcaster", whom a voice is compared to; None as with the model.
        false_merge_rate: The accepted share of automatic joins that put two voices together, from now on.
        runtime: What is to run the model; None for the fastest that can.
        workers: How many clips to embed side by side; None for as many as there are cores.
        ray: The address of the Ray cluster that is to read and embed; None for this machine.
    """

    strict: bool = False
    as_named: bool = False
    model: str | None = None
    scope: str | None = None
    false_merge_rate: float | None = None
    runtime: Runtime | None = None
    workers: int | None = None
    ray: str | None = None


NO_OPTIONS = IngestOptions()
