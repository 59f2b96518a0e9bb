"""Labelled clips set the constants of the model that decides, which hold from then on and can be taken back."""

import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from registry.core.linking.model_constants import ModelConstants
from registry.core.linking.probability_rule import ProbabilityRule
from registry.core.records import Floats
from registry.corrections.consolidate import consolidate
from registry.corrections.switch_model import switch_model
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.store import calibrations, models
from registry.errors import CorrectionRefused, LabelsTooFew, LabelsUnreadable, UndoRefused
from registry.evaluation.calibrate import Calibrated, calibrate
from registry.ingest import ingest
from registry.ingest.link import link_group
from registry.ingest.reembed import reembed
from registry.speech.embedder import Embedder
from registry.whois import whois
from tests.conftest import AUTHOR, MakeClip, night
from tests.corrections.test_any_sequence import state

SHIPPED = ModelConstants.of(ProbabilityRule())
DIMENSION = 256
WOMEN, MEN = range(400, 2400, 250), range(4000, 6000, 250)  # pitches in Hz
CLIPS = 4  # of each voice


def direction(*seed: int) -> Floats:
    drawn = np.random.default_rng(seed).standard_normal(DIMENSION)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def alike(samples: Floats) -> Floats:
    """Hear voices as a model to which all are much alike: cosines of genders .60, of strangers .65, of a voice .80."""
    pitch_hz = round(int(np.abs(np.fft.rfft(samples, n=16_000)).argmax()), -1)
    gender, clip = int(pitch_hz >= MEN[0]), zlib.crc32(samples.tobytes())
    parts = (direction(1), direction(2, gender), direction(3, pitch_hz), direction(4, clip))
    weights = (0.6, 0.05, 0.15, 0.2)
    made = np.zeros(DIMENSION, np.float32)
    for weight, part in zip(weights, parts, strict=True):
        made += weight**0.5 * part
    return made


@pytest.fixture
def models_of(two_models: dict[str, Embedder]) -> dict[str, Embedder]:
    """The first model hears all voices much alike."""
    two_models["campplus"] = Embedder("campplus", "alike", DIMENSION, 1, alike)
    return two_models


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip, models_of: dict[str, Embedder]) -> Engine:
    """Eight women and eight men of four clips each, on a night."""
    assert models_of
    for gender, pitches in (("F", WOMEN), ("M", MEN)):
        for pitch_hz in pitches:
            for take in range(CLIPS):
                make_clip(f"{gender}{pitch_hz}-{take}", pitch_hz, night(5, gender), seconds=4)
    ingest(engine, [indir], AUTHOR)
    return engine


@pytest.fixture
def labels(registry: Engine, tmp_path: Path) -> Path:
    """All clips, labelled by their pitch."""
    path = tmp_path / "labels.csv"
    with registry.connect() as connection:
        names = connection.execute(text("SELECT gender, name FROM clips ORDER BY clip_id")).all()
    rows = [f"{night(5, gender)}/{name},{name.partition('-')[0]}\n" for gender, name in names]
    path.write_text("clip,speaker\n" + "".join(rows))
    return path


def numbers(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text("SELECT name, number FROM clips ORDER BY name"))}


def voices_found(engine: Engine) -> tuple[int, int]:
    """Count the speakers, and the voices of which all clips have one speaker of their own."""
    found: dict[str, set[str]] = {}
    for name, number in numbers(engine).items():
        found.setdefault(name.partition("-")[0], set()).add(number)
    whole = [tuple(of) for of in found.values() if len(of) == 1]
    return len(set(numbers(engine).values())), len(set(whole))


def certainties(engine: Engine) -> dict[int, float]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text("SELECT clip_id, probability FROM certainty"))}


def constants(engine: Engine) -> ModelConstants | None:
    with engine.connect() as connection:
        foundation = models.foundation(connection)
    assert foundation is not None
    assert foundation.rule == replace(ProbabilityRule(), **vars(foundation.constants or SHIPPED))
    return foundation.constants


def operation_of(done: Calibrated) -> int:
    assert done.outcome.operation_id is not None
    return done.outcome.operation_id


def test_what_was_measured_is_told_with_what_it_does(registry: Engine, labels: Path) -> None:
    done = calibrate(registry, labels, AUTHOR)
    measured = done.measured

    assert (measured.model, measured.clips, measured.speakers, measured.speakers_of_several) == ("campplus", 64, 16, 16)
    assert (done.rejected, done.exit_code) == ((), 0)
    assert measured.before.constants == SHIPPED
    assert measured.after.constants == constants(registry) != SHIPPED
    assert measured.before.bcubed.f1 < 0.8
    assert measured.after.bcubed.f1 > 0.99
    assert (done.outcome.kind, done.outcome.summary) == (
        "calibrate",
        {"model": "campplus", "clips": 64, "speakers": 16},
    )
    assert (
        "campplus",
        "stranger",
        "shipped",
        f"{measured.after.constants.stranger:.4f}",
    ) in done.outcome.effects.constants
    assert check(registry) == []


@pytest.fixture
def sorted_out(registry: Engine, labels: Path) -> Engine:
    """The same with each voice's clips together, judged by the constants that ship."""
    done = calibrate(registry, labels, AUTHOR)
    consolidate(registry, AUTHOR, full=True)
    undo(registry, operation_of(done), AUTHOR)
    assert voices_found(registry) == (16, 16)
    return registry


def test_no_clip_gets_another_speaker_but_all_are_judged_again(sorted_out: Engine, labels: Path) -> None:
    before, unsure = numbers(sorted_out), certainties(sorted_out)
    calibrate(sorted_out, labels, AUTHOR)
    sure = certainties(sorted_out)

    assert numbers(sorted_out) == before
    assert sure.keys() == unsure.keys()
    assert min(sure.values()) > 0.85
    assert all(sure[clip] > unsure[clip] for clip in sure)


def test_a_consolidation_decides_by_them(registry: Engine, labels: Path) -> None:
    assert voices_found(registry)[1] < 16
    calibrate(registry, labels, AUTHOR)
    consolidate(registry, AUTHOR, full=True)

    assert voices_found(registry) == (16, 16)
    assert check(registry) == []


def test_the_next_night_is_decided_by_them(registry: Engine, labels: Path, indir: Path, make_clip: MakeClip) -> None:
    calibrate(registry, labels, AUTHOR)
    make_clip(f"F{WOMEN[0]}-later", WOMEN[0], night(6), seconds=4)
    ingest(registry, [indir], AUTHOR)

    assert voices_found(registry) == (16, 16)


def test_a_run_that_a_calibration_overtakes_decides_by_it(
    registry: Engine, labels: Path, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip(f"F{WOMEN[0]}-later", WOMEN[0], night(6), seconds=4)

    def calibrate_and_link(*arguments: object, **options: object) -> object:
        calibrate(registry, labels, AUTHOR)
        return link_group(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("registry.ingest.take_in.link_group", calibrate_and_link)
    ingest(registry, [indir], AUTHOR)

    assert voices_found(registry) == (16, 16)


def test_whois_asks_by_them(registry: Engine, labels: Path, make_clip: MakeClip) -> None:
    wav = make_clip("x", WOMEN[0], "elsewhere", seconds=4)
    before = whois(registry, [wav])[0].candidates[0]
    calibrate(registry, labels, AUTHOR)
    after = whois(registry, [wav])[0].candidates[0]

    assert before.score == after.score
    assert before.probability < after.probability


def test_a_plan_changes_nothing(sorted_out: Engine, labels: Path) -> None:
    registry = sorted_out
    before, sure = state(registry), certainties(registry)
    planned = calibrate(registry, labels, AUTHOR, plan_only=True)

    assert planned.outcome.operation_id is None
    assert planned.measured.after.bcubed.f1 > 0.99
    assert (state(registry), certainties(registry), constants(registry)) == (before, sure, None)
    assert planned.measured == calibrate(registry, labels, AUTHOR).measured


def test_undo_brings_back_what_ships_and_undone_itself_what_was_measured(sorted_out: Engine, labels: Path) -> None:
    unsure = certainties(sorted_out)
    done = calibrate(sorted_out, labels, AUTHOR)
    sure = certainties(sorted_out)
    [taken_back] = undo(sorted_out, operation_of(done), AUTHOR)
    assert (constants(sorted_out), certainties(sorted_out)) == (None, unsure)
    assert {row[3] for row in taken_back.effects.constants} == {"shipped"}
    assert check(sorted_out) == []

    undo(sorted_out, int(str(taken_back.operation_id)), AUTHOR)
    assert (constants(sorted_out), certainties(sorted_out)) == (done.measured.after.constants, sure)
    assert check(sorted_out) == []


def test_the_same_labels_again_change_nothing(registry: Engine, labels: Path) -> None:
    first = calibrate(registry, labels, AUTHOR)
    again = calibrate(registry, labels, AUTHOR)

    assert again.outcome.operation_id is None
    assert again.measured.before == again.measured.after == first.measured.after


def test_other_labels_take_the_place_of_the_first(registry: Engine, labels: Path, tmp_path: Path) -> None:
    first = calibrate(registry, labels, AUTHOR)
    few = tmp_path / "few.csv"
    few.write_text("".join(labels.read_text().splitlines(keepends=True)[: 1 + 6 * CLIPS]))  # six women
    second = calibrate(registry, few, AUTHOR)

    assert second.measured.before.constants == first.measured.after.constants
    assert second.measured.after.constants == constants(registry) != first.measured.after.constants
    assert second.measured.after.constants.other_gender_offset == SHIPPED.other_gender_offset
    with pytest.raises(UndoRefused, match=f"later operations build on it: {operation_of(second)}"):
        undo(registry, operation_of(first), AUTHOR)
    undo(registry, operation_of(second), AUTHOR)
    assert constants(registry) == first.measured.after.constants


def test_each_model_keeps_its_own(registry: Engine, labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = calibrate(registry, labels, AUTHOR).measured.after.constants
    reembed(registry, "second", AUTHOR)
    compared: list[ModelConstants] = []

    def rule_of(rate: float, constants: ModelConstants | None = None) -> ProbabilityRule:
        compared.append(constants or SHIPPED)
        return (constants or SHIPPED).put_into(ProbabilityRule(false_merge_rate=rate))

    with monkeypatch.context() as watched:
        watched.setattr("registry.settings.linking_rule", rule_of)
        switched = switch_model(registry, "second", AUTHOR)
    assert set(compared) == {SHIPPED}
    assert constants(registry) is None

    other = calibrate(registry, labels, AUTHOR).measured
    assert (other.model, constants(registry)) == ("second", other.after.constants)
    undo(registry, int(str(switched.outcome.operation_id)), AUTHOR)
    assert constants(registry) == own
    with registry.connect() as connection:
        assert calibrations.standing(connection, 2) == other.after.constants
    assert check(registry) == []


def relabelled(labels: Path, changed: Mapping[str, str], more: str = "") -> Path:
    lines = labels.read_text().splitlines()
    rows = [f"{clip},{changed.get(clip, who)}" for clip, who in (line.split(",") for line in lines[1:])]
    labels.write_text("\n".join([lines[0], *rows]) + "\n" + more)
    return labels


def test_rows_that_say_nothing_are_named_and_the_rest_is_used(registry: Engine, labels: Path) -> None:
    done = calibrate(registry, relabelled(labels, {}, f"{night(5)}/nobody,Eva\n"), AUTHOR)

    assert [(one.path, one.reason) for one in done.rejected] == [(f"{night(5)}/nobody", "unknown-clip")]
    assert (done.exit_code, done.measured.clips) == (1, 64)


def test_a_recording_in_several_clips_counts_once_and_not_at_all_as_two_speakers(
    registry: Engine, labels: Path, indir: Path, make_clip: MakeClip
) -> None:
    first, second = (f"F{WOMEN[0]}-{take}" for take in (0, 1))
    for name in (first, second):
        make_clip(name, group=night(6)).write_bytes((indir / night(5) / f"{name}.wav").read_bytes())
    ingest(registry, [indir], AUTHOR)
    more = f"{night(6)}/{first},F{WOMEN[0]}\n{night(6)}/{second},somebody else\n"
    done = calibrate(registry, relabelled(labels, {}, more), AUTHOR)

    assert (done.measured.clips, done.measured.speakers, done.rejected) == (63, 16, ())


@pytest.mark.parametrize("rows", [3 * CLIPS, 3 * CLIPS + 1])
def test_too_few_speakers_are_refused_with_what_is_needed(registry: Engine, labels: Path, rows: int) -> None:
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[: 1 + rows]) + "nobody,Eva\n")
    with pytest.raises(LabelsTooFew, match=r"3 speakers have two labelled recordings or more, 4 are needed; 1 rows"):
        calibrate(registry, labels, AUTHOR)

    assert constants(registry) is None


@pytest.mark.parametrize(
    ("content", "error"), [("clip,speaker\n1,Ana\n", CorrectionRefused), ("name\na\n", LabelsUnreadable)]
)
def test_an_empty_registry_and_a_file_of_something_else_are_refused(
    engine: Engine, tmp_path: Path, content: str, error: type[Exception]
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(error):
        calibrate(engine, path, AUTHOR)


def test_a_name_of_both_genders_is_two_speakers(registry: Engine, labels: Path) -> None:
    both = {f"{night(5, g)}/{g}{p}-{t}": "Ana" for g, p in (("F", WOMEN[0]), ("M", MEN[0])) for t in range(CLIPS)}

    assert calibrate(registry, relabelled(labels, both), AUTHOR).measured.speakers == 16
