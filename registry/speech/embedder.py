"""Embed with any model: the one inside, one of Hugging Face, a checkpoint or an ONNX file on disk."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from registry.core.records import Floats
from registry.core.shown_addresses import shown_text
from registry.errors import ModelUnavailable, PackagesUnusable, RuntimeUnavailable
from registry.input.model_names import DEFAULT_MODEL, recorded_name
from registry.speech.runtimes import Runtime
from registry.speech.runtimes.packing import Packing, in_place
from registry.speech.runtimes.running import run

SAMPLE_RATE_HZ = 16_000
MAX_WINDOW_S = 30  # a longer clip is embedded in pieces, so memory does not grow with it
PROBE_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # the least a model takes is the first of these it can embed

Infer = Callable[[Floats], Floats]  # (n,) at 16 kHz -> (dimension,)


@dataclass(frozen=True)
class Embedder:
    """A loaded model that turns the samples of one voice into one vector."""

    name: str  # as recorded in the registry: "campplus", "campplus-bf16", a Hugging Face id or an absolute path
    fingerprint: str  # sha256 of weights and extraction: equal fingerprints give comparable embeddings
    dimension: int
    minimum_samples: int  # a shorter clip is repeated up to this
    infer: Infer
    runtime: str = "torch"  # what runs it, with its version and precision, for the journal
    packing: Packing | None = None  # how it embeds clips together; None where that is no faster

    def embed(self, samples: Floats) -> Floats:
        """Embed a whole clip, however short or long.

        Args:
            samples: (n,) float32, 16 kHz mono, at least one.

        Returns:
            (dimension,) float32, of any length.

        Raises:
            ValueError: There is no sample, or the model gave no usable vector: not finite, or all zero.
        """
        (embedding,) = self.embed_together([samples])
        if isinstance(embedding, str):
            raise ValueError(embedding)  # noqa: TRY004 - a string is no wrong type here, it says why there is none
        return embedding

    def embed_together(self, clips: Sequence[Floats]) -> list[Floats | str]:
        """Embed whole clips, in no more calls of the model than needed.

        Args:
            clips: (n,) float32 of each, 16 kHz mono.

        Returns:
            (dimension,) float32 of each, of any length; of a clip without a usable embedding, why there is none.
        """
        cut = [_pieces(clip) for clip in clips]
        vectors = iter(self._infer([self._long_enough(piece) for piece in chain(*cut)]))
        return [self._mean(list(islice(vectors, len(pieces)))) for pieces in cut]

    def share_out(self, lengths: Sequence[int]) -> list[list[int]]:
        """Say which of some clips, given their samples, are best embedded together: by position."""
        return [[clip] for clip in range(len(lengths))] if self.packing is None else self.packing.share_out(lengths)

    def _infer(self, pieces: Sequence[Floats]) -> list[Floats]:
        if self.packing is None:
            return [self.infer(piece) for piece in pieces]
        calls = self.packing.share_out([piece.size for piece in pieces])
        return in_place(calls, (self.packing.infer([pieces[place] for place in call]) for call in calls))

    def _mean(self, vectors: Sequence[Floats]) -> Floats | str:
        """Average a clip's pieces, which are of one length: each counts the same."""
        if not vectors:
            return "There are no samples to embed."
        embedding: Floats = np.mean(vectors, axis=0, dtype=np.float32)
        if not np.isfinite(embedding).all() or not embedding.any():
            return f"The model {self.name} gives no usable embedding of these samples."
        return embedding

    def _long_enough(self, samples: Floats) -> Floats:
        return samples if samples.size >= self.minimum_samples else np.resize(samples, self.minimum_samples)


def load_embedder(name: str = DEFAULT_MODEL, runtime: Runtime | None = None) -> Embedder:
    """Load an embedding model onto the GPU if there is one, else the CPU.

    Args:
        name: "campplus", "campplus-bf16", a Hugging Face id such as pyannote/wespeaker-voxceleb-resnet34-LM, or the
            path of a pyannote checkpoint or of an ONNX file, "~" allowed.
        runtime: What is to run it; None or "auto" for the fastest that can.

    Raises:
        ModelUnavailable: No such file, no answer from the hub, or not a speaker embedding model; or bf16 where it
            cannot be had.
        PackagesUnusable: torch, torchaudio and pyannote.audio, which it needs, do not fit together.
        RuntimeUnavailable: The runtime asked for cannot run it.
    """
    name = recorded_name(name)
    try:
        with _quiet():
            running = run(name, runtime or "auto")
            minimum, dimension = _probe(running.infer)
    except (PackagesUnusable, RuntimeUnavailable):
        raise
    except Exception as error:  # unpickling a foreign file and running its code can raise anything
        shown = shown_text(name)  # a URL is no model, and may hold a password
        raise ModelUnavailable(model=shown, cause=_one_line(error).replace(name, shown)) from error
    return Embedder(name, running.fingerprint, dimension, minimum, running.infer, running.runtime, running.packing)


def _probe(infer: Infer) -> tuple[int, int]:
    """Find the fewest samples the model can embed, and the dimension of what it gives."""
    cause: Exception | None = None
    for duration_s in PROBE_S:
        sweep = np.sin(np.arange(round(duration_s * SAMPLE_RATE_HZ)) ** 1.5 / 1000).astype(np.float32)
        try:
            embedding = infer(sweep)
        except (RuntimeError, ValueError, AssertionError, IndexError) as error:
            cause = error
            continue
        if np.isfinite(embedding).all():
            if infer(np.tile(sweep, 2)).size != embedding.size:
                raise TypeError("it gives more numbers for a longer sound, and not one vector")
            return sweep.size, embedding.size
    raise ValueError(f"it gives no finite embedding of {PROBE_S[-1]} s") from cause


def _pieces(samples: Floats) -> list[Floats]:
    count = -(-samples.size // (MAX_WINDOW_S * SAMPLE_RATE_HZ))
    return np.array_split(samples, count) if count else []


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # It decodes files we never give it: audio comes to it as samples.
        warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
        # The probe asks on purpose for less than some models can embed.
        warnings.filterwarnings("ignore", message=r"std\(\): degrees of freedom is <= 0")
        yield
