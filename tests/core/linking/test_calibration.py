"""What labelled clips tell of a model's embeddings, on made-up ones whose cosines are known."""

from dataclasses import replace

import numpy as np
import pytest

from registry.core import measures
from registry.core.linking.calibration import LabelledClips, as_one_night, calibrate
from registry.core.linking.model_constants import ModelConstants
from registry.core.records import Floats, Integers
from tests.core.given import RULE

DIMENSION = 256
WOMEN, MEN = 0, 1
SHIPPED = ModelConstants.of(RULE)


def embeddings(
    speaker: Integers, gender: Integers, stranger: float, other_gender: float, own: float, seed: int = 0
) -> Floats:
    """Make vectors of these mean cosines: of two strangers of a gender, of two genders, of two clips of a speaker."""
    rng = np.random.default_rng(seed)

    def directions(count: int) -> Floats:
        drawn: Floats = (rng.standard_normal((count, DIMENSION)) / DIMENSION**0.5).astype(np.float32)
        return drawn

    of_all, of_gender = directions(1), directions(2)[gender]
    of_speaker = directions(int((2 * speaker + gender).max()) + 1)[2 * speaker + gender]
    parts = (of_all, of_gender, of_speaker, directions(len(speaker)))
    weights = (other_gender, stranger - other_gender, own - stranger, 1 - own)
    made: Floats = np.zeros_like(of_speaker)
    for weight, part in zip(weights, parts, strict=True):
        made += weight**0.5 * part
    return made


def labelled(
    speakers: int = 20,
    clips: int = 6,
    genders: tuple[int, ...] = (WOMEN, MEN),
    cosines: tuple[float, float, float] = (0.6, 0.5, 0.8),
    narrowness: float = 0.0,
    seed: int = 0,
) -> LabelledClips:
    """So many speakers of each gender, with so many clips each; cosines of strangers, of genders, of one voice."""
    gender = np.repeat(np.array(genders, dtype=np.int64), speakers * clips)
    speaker = np.tile(np.repeat(np.arange(speakers), clips), len(genders))
    count = len(gender)
    seconds, sound = np.full(count, 6.0, np.float32), np.full(count, narrowness, np.float32)
    return LabelledClips(embeddings(speaker, gender, *cosines, seed), seconds, sound, gender, speaker)


def together(one: LabelledClips, other: LabelledClips) -> LabelledClips:
    fields = ("vectors", "durations_s", "narrowness", "gender", "speaker")
    return LabelledClips(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in fields))


def unaveraged(told: float, shipped: float, speakers: int) -> float:
    """Give what was measured, of what was averaged with what ships."""
    return (told * (speakers + 5) - shipped * 5) / speakers


def f1(clips: LabelledClips, constants: ModelConstants) -> float:
    return measures.clustering(clips.own, as_one_night(clips, constants.put_into(RULE))).bcubed.f1


def test_voices_that_the_shipped_constants_miss_are_found_by_those_measured() -> None:
    clips = labelled()
    measured = calibrate(clips, RULE)

    assert f1(clips, SHIPPED) < 0.8
    assert f1(clips, measured) > 0.98
    assert f1(labelled(seed=1), measured) > 0.98  # of other voices by the same model


def test_the_cosines_of_strangers_are_found_again() -> None:
    measured = calibrate(labelled(speakers=40), RULE)

    assert unaveraged(measured.stranger, SHIPPED.stranger, 80) == pytest.approx(0.6, abs=0.03)


def test_the_levels_that_the_other_gender_tells_come_true() -> None:
    """From a cosine of .5 with the other gender to one of .6 with strangers."""
    measured = calibrate(labelled(speakers=40), RULE)
    offset = unaveraged(measured.other_gender_offset, SHIPPED.other_gender_offset, 80)

    assert RULE.other_gender_factor * 0.5 + offset == pytest.approx(0.6, abs=0.04)


def test_the_variance_is_that_of_strangers_cosines_around_their_level() -> None:
    """What is left of the spread at a level of .6 is known, so the variance at a level of 0 can be told."""
    clips = labelled(speakers=40)
    measured = calibrate(clips, RULE)
    women = clips.vectors[clips.gender == WOMEN]
    units = women / np.linalg.norm(women, axis=1, keepdims=True)
    speaker = clips.speaker[clips.gender == WOMEN]
    strangers = (units @ units.T)[speaker[:, None] != speaker]
    told = np.exp(unaveraged(float(np.log(measured.stranger_variance)), float(np.log(SHIPPED.stranger_variance)), 80))
    spread = (1 - RULE.spread_loss * 0.6) ** 2

    assert told * (spread + RULE.level_error) == pytest.approx(strangers.var(), rel=0.2)


def test_the_spread_is_that_of_a_clips_cosines_with_the_other_gender() -> None:
    clips = labelled(speakers=40)
    units = clips.vectors / np.linalg.norm(clips.vectors, axis=1, keepdims=True)
    across = units[clips.gender == WOMEN] @ units[clips.gender == MEN].T
    measured = calibrate(clips, RULE).other_gender_spread

    assert unaveraged(measured, SHIPPED.other_gender_spread, 80) == pytest.approx(across.std(axis=1).mean(), rel=0.1)


@pytest.mark.parametrize("own", [0.7, 0.9])
def test_the_noise_is_that_of_the_speakers_clips(own: float) -> None:
    """Clips of 6 s have twice the base noise: the share of voice in what is left above strangers is 1 / (1 + 2 b)."""
    measured = calibrate(labelled(speakers=40, cosines=(0.6, 0.5, own)), RULE)
    told = np.exp(unaveraged(float(np.log(measured.base_noise)), float(np.log(SHIPPED.base_noise)), 80))

    assert 1 / (1 + 2 * told) == pytest.approx((own - 0.6) / 0.4, rel=0.15)


def test_of_one_gender_what_the_other_would_tell_stays_as_it_ships() -> None:
    clips = labelled(genders=(MEN,))
    measured = calibrate(clips, RULE)

    assert measured.other_gender_offset == SHIPPED.other_gender_offset
    assert measured.other_gender_spread == SHIPPED.other_gender_spread
    assert unaveraged(measured.stranger, SHIPPED.stranger, 20) == pytest.approx(0.6, abs=0.05)
    assert f1(clips, SHIPPED) < 0.8
    assert f1(clips, measured) > 0.98


def test_a_single_speaker_of_the_other_gender_tells_no_levels() -> None:
    measured = calibrate(together(labelled(genders=(WOMEN,)), labelled(speakers=1, genders=(MEN,), seed=9)), RULE)

    assert measured.other_gender_offset == SHIPPED.other_gender_offset
    assert measured.other_gender_spread == SHIPPED.other_gender_spread
    assert measured.stranger > 0.4


def test_few_speakers_of_the_other_gender_weigh_little() -> None:
    def offset(men: int) -> float:
        clips = together(labelled(genders=(WOMEN,)), labelled(speakers=men, genders=(MEN,)))
        return calibrate(clips, RULE).other_gender_offset

    few, many = (abs(offset(men) - SHIPPED.other_gender_offset) for men in (2, 20))
    assert few < many


@pytest.mark.parametrize("speakers", [2, 5, 20])
def test_few_speakers_move_little(speakers: int) -> None:
    """Of five on the whole it is halfway, on a straight or on a log scale."""
    stranger = calibrate(labelled(speakers=speakers), RULE).stranger
    share = (stranger - SHIPPED.stranger) / (0.6 - SHIPPED.stranger)

    assert share == pytest.approx(2 * speakers / (2 * speakers + 5), rel=0.15)


def test_variance_and_noise_are_averaged_as_factors_and_cosines_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten speakers in all: two parts of what was measured, one of what ships."""
    clips = labelled(speakers=5)
    found = vars(calibrate(clips, RULE))
    monkeypatch.setattr("registry.core.linking.calibration.SHIPPED_SPEAKERS", 1e-9)
    measured, shipped = vars(calibrate(clips, RULE)), vars(SHIPPED)

    for name in ("stranger_variance", "base_noise"):
        assert found[name] == pytest.approx((measured[name] ** 2 * shipped[name]) ** (1 / 3))
    for name in ("stranger", "stranger_by_telephone", "other_gender_offset", "other_gender_spread"):
        assert found[name] == pytest.approx((measured[name] * 2 + shipped[name]) / 3)


def test_the_telephone_keeps_its_place_above_the_studio() -> None:
    found = calibrate(labelled(), RULE)
    place = (found.stranger_by_telephone - found.stranger) / (1 - found.stranger)

    assert found.stranger > 0.5
    assert place == pytest.approx((RULE.stranger_by_telephone - RULE.stranger) / (1 - RULE.stranger))


def test_studio_keeps_its_place_below_the_telephone() -> None:
    found = calibrate(labelled(narrowness=1.0, cosines=(0.7, 0.6, 0.85)), RULE)
    place = (found.stranger_by_telephone - found.stranger) / (1 - found.stranger)

    assert found.stranger_by_telephone > 0.6
    assert place == pytest.approx((RULE.stranger_by_telephone - RULE.stranger) / (1 - RULE.stranger))


def test_studio_is_never_below_chance_however_little_alike_callers_are() -> None:
    found = calibrate(labelled(narrowness=1.0, cosines=(0.1, 0.05, 0.6)), RULE)

    assert 0 <= found.stranger < SHIPPED.stranger
    assert found.stranger < found.stranger_by_telephone < SHIPPED.stranger_by_telephone


def test_each_sound_is_measured_by_itself() -> None:
    wide, narrow = labelled(seed=1), labelled(narrowness=1.0, cosines=(0.8, 0.7, 0.9), seed=2)
    found = calibrate(together(wide, replace(narrow, speaker=narrow.speaker + 20)), RULE)

    assert unaveraged(found.stranger, SHIPPED.stranger, 40) == pytest.approx(0.6, abs=0.04)
    assert unaveraged(found.stranger_by_telephone, SHIPPED.stranger_by_telephone, 40) == pytest.approx(0.8, abs=0.04)


def test_the_pairs_of_some_clips_tell_what_all_would(monkeypatch: pytest.MonkeyPatch) -> None:
    clips = labelled(speakers=30, clips=8)
    whole = calibrate(clips, RULE)
    monkeypatch.setattr("registry.core.linking.calibration.MOST_CLIPS", 100)
    some = calibrate(clips, RULE)

    assert some != whole
    for name, value in vars(whole).items():
        assert getattr(some, name) == pytest.approx(value, rel=0.1, abs=0.01), name


def test_embeddings_of_the_kind_that_the_constants_were_set_on_change_little() -> None:
    found = calibrate(labelled(speakers=30, cosines=(0.15, 0.1, 0.6)), RULE)

    assert found.stranger == pytest.approx(SHIPPED.stranger, abs=0.03)
    assert found.other_gender_offset == pytest.approx(SHIPPED.other_gender_offset, abs=0.03)


def test_a_name_under_both_genders_is_two_speakers() -> None:
    clips = labelled(speakers=3, clips=2)

    assert (len(clips), clips.speakers, clips.speakers_of_several) == (12, 6, 6)
    assert len(set(clips.own.tolist())) == 6


def test_who_has_a_single_clip_counts_apart() -> None:
    clips = together(labelled(speakers=3, clips=2), replace(labelled(speakers=1, clips=1), speaker=np.array([7, 7])))

    assert (clips.speakers, clips.speakers_of_several) == (8, 6)


def test_constants_are_put_into_a_rule_and_taken_out_of_it() -> None:
    constants = ModelConstants(*(0.1 * place for place in range(1, 7)))
    rule = constants.put_into(replace(RULE, false_merge_rate=0.01))

    assert ModelConstants.of(rule) == constants
    assert rule.false_merge_rate == 0.01
    assert SHIPPED.put_into(RULE) == RULE


def test_embeddings_that_do_not_vary_give_finite_constants() -> None:
    clips = labelled(speakers=2, clips=2)
    alike = replace(clips, vectors=np.eye(4, 8, dtype=np.float32)[2 * clips.speaker + clips.gender])

    assert np.isfinite(list(vars(calibrate(alike, RULE)).values())).all()
