"""Who of the stored speakers a clip is of."""

import numpy as np
import pytest

from registry.core.linking.decisions import KnownVoices, link
from registry.core.linking.identification import Suspects
from registry.core.records import Floats
from tests.core.given import RULE, clips_of, nobody

DIMENSION = 64
STRANGERS = clips_of(np.random.default_rng(9).standard_normal((60, DIMENSION)))


def spoken(voices: list[int], seed: int) -> Floats:
    """A clip of each, a number being the same voice under every seed; lengths of embeddings are anything."""
    voice = np.random.default_rng(0).standard_normal((10, DIMENSION))
    noise = np.random.default_rng(seed).standard_normal((len(voices), DIMENSION))
    vectors: Floats = (7 * (voice[voices] + 0.6 * noise)).astype(np.float32)
    return vectors


def suspects(strangers: bool = True) -> Suspects:
    """Three speakers of six clips each."""
    clips = clips_of(spoken([voice for voice in range(3) for _ in range(6)], seed=1))
    return Suspects.among(clips.united(np.repeat(np.arange(3), 6)), STRANGERS if strangers else nobody(DIMENSION), RULE)


@pytest.mark.parametrize("strangers", [True, False])
def test_a_clip_is_of_its_speaker_and_of_no_other(*, strangers: bool) -> None:
    scores, probabilities = suspects(strangers=strangers).identify(spoken([1], seed=2)[0], 5, 0)

    assert scores.argmax() == 1
    assert probabilities[1] > 0.9
    assert probabilities[[0, 2]].max() < 0.01


def test_somebody_new_is_none_of_them() -> None:
    _, probabilities = suspects().identify(spoken([5], seed=2)[0], 5, 0)

    assert probabilities.max() < 0.01


def test_scores_are_mean_cosines_to_the_clips() -> None:
    [vector] = spoken([1], seed=2)
    clips = clips_of(spoken([voice for voice in range(3) for _ in range(6)], seed=1)).mean
    scores, _ = suspects().identify(vector, 5, 0)

    expected = (clips @ (vector / np.linalg.norm(vector))).reshape(3, 6).mean(axis=1)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_where_nobody_is_stored_it_is_nobody() -> None:
    scores, probabilities = Suspects.among(nobody(DIMENSION), STRANGERS, RULE).identify(spoken([1], 2)[0], 5, 0)

    assert scores.shape == probabilities.shape == (0,)


def test_a_night_is_told_nearly_the_same_of_a_clip() -> None:
    known = suspects()
    vector = spoken([1], seed=2)
    sound = np.full(1, 5, np.float32), np.zeros(1, np.float32)
    [decision] = link([7], vector, *sound, KnownVoices([1, 2, 3], known.voices, STRANGERS, {}), RULE).decisions
    _, probabilities = known.identify(vector[0], 5, 0)

    assert decision.speaker_id == 2
    assert decision.probability == pytest.approx(float(probabilities[1]), abs=0.1)
