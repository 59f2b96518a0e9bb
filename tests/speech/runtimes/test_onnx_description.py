"""How a sound is put into a model is found from its graph and from what is stated of it, or asked for."""

from collections.abc import Mapping

import numpy as np
import pytest

from registry.speech.runtimes.extraction import Extraction, Features
from registry.speech.runtimes.onnx_description import Port, describe

ANY = None
SAMPLES = [Port("audio", (ANY, ANY), "f32")]
BANDS = [Port("x", (ANY, ANY, 80), "f32")]
ONE = [Port("y", (ANY, 192), "f32")]
NEMO_IN = [Port("audio_signal", (ANY, 80, ANY), "f32"), Port("length", (ANY,), "i64")]
NEMO_OUT = [Port("logits", (ANY, 16681), "f32"), Port("embs", (ANY, 192), "f32")]

WESPEAKER = Extraction(32768, Features("kaldi", "hamming", "mean"))
THREE_D_SPEAKER = Extraction(1, Features("kaldi", "povey", "mean"))
NEMO = Extraction(1, Features("nemo", "hann", "mean and deviation"))


@pytest.mark.parametrize(
    ("inputs", "outputs", "stated", "extraction", "output"),
    [
        (SAMPLES, ONE, {}, Extraction(1, None), 0),
        (SAMPLES, ONE, {"normalize_samples": "0"}, Extraction(32768, None), 0),
        (BANDS, ONE, {"framework": "wespeaker", "sample_rate": "16000", "normalize_samples": "0"}, WESPEAKER, 0),
        ([Port("feats", (ANY, ANY, 80), "f32")], [Port("embs", (ANY, 256), "f32")], {}, WESPEAKER, 0),
        (BANDS, ONE, {"framework": "3d-speaker", "feature_normalize_type": "global-mean"}, THREE_D_SPEAKER, 0),
        ([Port("feature", (ANY, ANY, 80), "f32")], [Port("embedding", (ANY, 512), "f32")], {}, THREE_D_SPEAKER, 0),
        (NEMO_IN, NEMO_OUT, {}, NEMO, 1),
        (NEMO_IN, ONE, {"framework": "nemo"}, NEMO, 0),
        (NEMO_IN, NEMO_OUT, {"framework": "nemo", "window_type": "hann", "feat_dim": "80"}, NEMO, 1),
        (
            BANDS,
            ONE,
            {"framework": "wespeaker", "window_type": "povey"},
            Extraction(32768, Features("kaldi", "povey", "mean")),
            0,
        ),
        (
            BANDS,
            [*ONE, Port("z", (ANY, 192), "f32")],
            {"normalize_samples": "1", "feature_normalize_type": "", "window_type": "hanning", "output": "z"},
            Extraction(1, Features("kaldi", "hann", "none")),
            1,
        ),
    ],
)
def test_a_model_is_understood(
    inputs: list[Port], outputs: list[Port], stated: Mapping[str, str], extraction: Extraction, output: int
) -> None:
    description = describe(inputs, outputs, stated)

    assert (description.extraction, description.output) == (extraction, output)


@pytest.mark.parametrize(
    ("inputs", "outputs", "stated", "says"),
    [
        (BANDS, ONE, {}, "has to state framework .*, or else normalize_samples, feature_normalize_type, window_type"),
        (BANDS, ONE, {"framework": "own", "window_type": "hann"}, "or else normalize_samples, feature_normalize_type$"),
        (
            BANDS,
            ONE,
            {"framework": "wespeaker", "window_type": "kaiser"},
            'its window_type is "kaiser"; known are povey',
        ),
        (NEMO_IN, NEMO_OUT, {"window_type": "povey"}, 'its window_type is "povey"; known are hann$'),
        (SAMPLES, ONE, {"normalize_samples": "yes"}, 'its normalize_samples is "yes"; known are 1, 0'),
        (SAMPLES, ONE, {"sample_rate": "8000"}, "its sample_rate is 8000; models of 16000 only"),
        (BANDS, ONE, {"framework": "nemo", "window_size_ms": "20"}, "its window_size_ms is 20; models of 25 only"),
        ([Port("x", (ANY, ANY, 64), "f32")], ONE, {}, r"x \[\?,\?,64\] of f32; .* 80 mel bands"),
        ([Port("x", (1, 300, 80), "f32")], ONE, {}, "of any length"),
        ([Port("x", (32, ANY), "f32")], ONE, {}, r"x \[32,\?\]"),
        ([Port("x", None, "f32")], ONE, {}, r"x \[\.\.\.\]"),
        ([Port("x", (ANY, ANY, ANY), "f32")], ONE, {}, r"x \[\?,\?,\?\]"),
        ([Port("x", (ANY, ANY), "i64")], ONE, {}, "its inputs are x .* of i64"),
        ([*SAMPLES, *SAMPLES], ONE, {}, "its inputs are audio .*, audio"),
        ([*NEMO_IN, NEMO_IN[1]], NEMO_OUT, {}, "its inputs are audio_signal"),
        (
            SAMPLES,
            [*ONE, *NEMO_OUT],
            {},
            "its outputs are y .*, logits .*, embs .*; .* which is the embedding: output",
        ),
        (SAMPLES, ONE, {"output": "z"}, "its outputs are y"),
        (SAMPLES, [Port("y", (ANY, ANY, 7), "f32")], {}, r"y \[\?,\?,7\] of f32, and not one vector"),
    ],
)
def test_an_unclear_model_is_refused_and_told_what_to_state(
    inputs: list[Port], outputs: list[Port], stated: Mapping[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        describe(inputs, outputs, stated)


@pytest.mark.parametrize(
    ("inputs", "given", "shapes"),
    [
        ([Port("x", (ANY,), "f32")], (5,), {0: (5,)}),
        (SAMPLES, (5,), {0: (1, 5)}),
        ([Port("x", (ANY, 1, ANY), "f32")], (5,), {0: (1, 1, 5)}),
        ([NEMO_IN[1], Port("x", (ANY, ANY), "f32")], (5,), {0: (1,), 1: (1, 5)}),
    ],
)
def test_samples_are_put_in_as_the_graph_takes_them(
    inputs: list[Port], given: tuple[int, ...], shapes: Mapping[int, tuple[int, ...]]
) -> None:
    put_in = describe(inputs, ONE, {}).entrance.inputs(np.zeros(given, np.float32))

    assert {position: array.shape for position, array in put_in.items()} == shapes


def test_bands_are_put_in_before_or_after_the_frames() -> None:
    features = np.arange(7 * 80, dtype=np.float32).reshape(7, 80)
    after = describe(BANDS, ONE, {"framework": "3d-speaker"}).entrance.inputs(features)
    before = describe(NEMO_IN, NEMO_OUT, {}).entrance.inputs(features)

    assert np.array_equal(after[0], features[None])
    assert np.array_equal(before[0], features.T[None])
    assert before[1].tolist() == [7]
