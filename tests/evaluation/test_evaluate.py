"""What is measured of a registry: right, mixed and divided speakers by labels, expected errors without."""

from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import InternalError

from registry.core.measures import Persistence, PrecisionRecall
from registry.corrections.consolidate import consolidate
from registry.corrections.merge import different
from registry.corrections.move import confirm, move
from registry.corrections.undo import undo
from registry.database.store.evaluation import looking
from registry.evaluation import estimate, evaluate
from registry.evaluation.against_labels import Divided, Evaluation, OfSound, Scores
from registry.evaluation.estimates import Certainty, Expected
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")

Label = Callable[..., Evaluation]
RIGHT = {"5/a": "ana", "5/b": "ana", "5/x": "bea", "6/c": "ana", "6/y": "bea", "6/z": "eva"}


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Two nights: F0001 has a, b and then c; F0002 has x and then y; F0003 has z."""
    for name, pitch_hz in {"a": 400, "b": 400, "x": 2000}.items():
        make_clip(name, pitch_hz, night(5))
    for name, pitch_hz in {"c": 400, "y": 2000, "z": 3200}.items():
        make_clip(name, pitch_hz, night(6))
    ingest(engine, [indir], AUTHOR)
    return engine


@pytest.fixture
def label(registry: Engine, tmp_path: Path) -> Label:
    """Evaluate the registry by labels: NIGHT/NAME or any address -> true speaker."""

    def run(labels: dict[str, str]) -> Evaluation:
        rows = [(f"{night(int(clip[0]))}{clip[1:]}" if clip[1:2] == "/" else clip, who) for clip, who in labels.items()]
        path = tmp_path / "labels.csv"
        path.write_text("clip,speaker\n" + "".join(f"{clip},{who}\n" for clip, who in rows), encoding="utf-8")
        return evaluate(registry, path)

    return run


def scores(evaluation: Evaluation) -> Scores:
    assert evaluation.scores is not None
    return evaluation.scores


def clip_id(engine: Engine, name: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT clip_id FROM clips WHERE name = :n"), {"n": name}).scalar_one())


def test_where_all_is_right_every_measure_is_1(label: Label) -> None:
    found = label(RIGHT)

    assert (found.clips, found.speakers_true, found.speakers_found) == (6, 3, 3)
    assert (found.rejected, found.exit_code) == ((), 0)
    assert scores(found).clustering.bcubed == scores(found).clustering.pairwise == PrecisionRecall(1, 1, 1)
    assert scores(found).persistence == Persistence(1, 2, 2)
    assert (scores(found).mixed, scores(found).split) == ((), ())


def test_a_speaker_of_several_voices_is_named(label: Label) -> None:
    found = scores(label(RIGHT | {"6/c": "eva"}))

    assert found.mixed == (Divided("andaiafm/F0001", 3, (("ana", 2), ("eva", 1))),)
    assert found.split == (Divided("eva", 2, (("andaiafm/F0001", 1), ("andaiafm/F0003", 1))),)
    assert found.clustering.purity == pytest.approx(5 / 6)


def test_a_voice_under_several_numbers_did_not_persist(label: Label) -> None:
    found = scores(label(RIGHT | {"6/z": "ana", "6/c": "eva"}))

    assert [divided.label for divided in found.split] == ["ana"]
    assert found.persistence == Persistence(1 / 2, 1, 2)


def test_a_voice_comes_back_to_a_number_only_where_that_counts(
    label: Label, registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    """Another broadcaster gives its own numbers, and genders are never mixed."""
    make_clip("m", 400, night(7, "M"))
    make_clip("r", 400, night(7, "F", "radiox"))
    ingest(registry, [indir], AUTHOR)
    elsewhere = {f"{night(7, 'M')}/m": "ana", f"{night(7, 'F', 'radiox')}/r": "ana"}

    found = scores(label(RIGHT | elsewhere))

    assert found.persistence == Persistence(1, 2, 2)
    assert found.split == (Divided("ana", 5, (("andaiafm/F0001 radiox/F0001", 4), ("andaiafm/M0001", 1))),)


def test_the_worst_come_first(label: Label, registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    for name in "pq":
        make_clip(name, 2000, night(7))
    ingest(registry, [indir], AUTHOR)
    whose = ["5/a ana", "5/b bea", "6/c bea", "5/x ana", "6/y bea", "7/p eva", "7/q ana", "6/z bea"]

    found = scores(label(dict(line.split() for line in whose)))

    assert [(one.label, one.parts[0]) for one in found.mixed] == [
        ("andaiafm/F0002", ("ana", 2)),
        ("andaiafm/F0001", ("bea", 2)),
    ]
    assert [(one.label, len(one.parts)) for one in found.split] == [("bea", 3), ("ana", 2)]


def test_only_what_is_labelled_counts(label: Label) -> None:
    found = label({"5/a": "ana", "6/c": "ana"})

    assert (found.clips, found.speakers_true, found.speakers_found) == (2, 1, 1)
    assert scores(found).persistence == Persistence(1, 1, 1)


def test_a_clip_is_known_by_key_by_name_and_by_its_audio(label: Label, registry: Engine, indir: Path) -> None:
    exported = indir.parent / "elsewhere.wav"
    exported.write_bytes((indir / night(6) / "c.wav").read_bytes())
    key = str(clip_id(registry, "b"))

    found = label({"5/a": "ana", key: "ana", str(exported): "eva", "andaiafm_f20201106/y.wav": "bea"})

    assert (found.clips, found.rejected) == (4, ())
    assert scores(found).mixed == (Divided("andaiafm/F0001", 3, (("ana", 2), ("eva", 1))),)


def test_rows_that_name_no_clip_are_named_and_the_rest_is_measured(label: Label, indir: Path) -> None:
    broken = indir / "broken.wav"
    broken.write_bytes(b"no wav")
    there_is_none = "the registry has no such clip"
    strange = {
        "5/nobody": there_is_none,
        "999": there_is_none,
        "9" * 40: there_is_none,
        "nofm_F20201105/a": there_is_none,
        f"andaiafm_F{'20201399'}/a": "expected a key",
        f"{night(5)}/a\0": "expected a key",
        "n" * 5000: "expected a key",
        str(broken): "It is no wav",
    }

    found = label(RIGHT | dict.fromkeys(strange, "ana"))

    assert (found.clips, found.exit_code) == (6, 1)
    assert scores(found).clustering.purity == 1
    assert [one.reason for one in found.rejected] == ["unknown-clip"] * len(strange)
    for one, words in zip(found.rejected, strange.values(), strict=True):
        assert words in one.message


def test_a_clip_labelled_twice_is_left_out_where_the_labels_differ(label: Label, registry: Engine) -> None:
    found = label(RIGHT | {str(clip_id(registry, "c")): "eva", str(clip_id(registry, "y")): "bea"})

    assert (found.clips, found.exit_code) == (5, 1)
    assert [one.path for one in found.rejected] == [f"{night(6)}/c", str(clip_id(registry, "c"))]


def test_labels_of_no_clip_at_all_give_no_scores(label: Label) -> None:
    found = label({"5/nobody": "ana"})

    assert (found.clips, found.scores, found.exit_code) == (0, None, 1)


def test_what_an_undo_took_away_is_no_clip(label: Label, registry: Engine) -> None:
    undo(registry, 2, AUTHOR)
    found = label(RIGHT)

    assert found.clips == 3
    assert [one.path[-1] for one in found.rejected] == ["c", "y", "z"]


def test_matches_are_right_where_they_went_to_whom_the_speaker_was(label: Label) -> None:
    right, wrong = (scores(label(labels)).calibration_of_matches for labels in (RIGHT, RIGHT | {"6/c": "eva"}))

    assert [(found.clips, found.right, found.high) for found in right.bins] == [(2, 1, 1)]
    assert [(found.clips, found.right) for found in wrong.bins] == [(2, 0.5)]
    assert scores(label({"6/c": "ana"})).calibration_of_matches.clips == 0


def test_a_wrong_match_stays_one_after_people_have_mended_it(label: Label, registry: Engine) -> None:
    labels = RIGHT | {"6/c": "eva"}
    move(registry, [f"{night(6)}/c"], "F0003", AUTHOR)
    [mended] = scores(label(labels)).calibration_of_matches.bins

    assert scores(label(labels)).clustering.purity == 1
    assert (mended.clips, mended.right) == (2, 0.5)


def test_a_match_is_judged_by_what_the_speaker_was_after_an_undo_too(label: Label, registry: Engine) -> None:
    undone = undo(registry, 2, AUTHOR)[-1]
    undo(registry, int(str(undone.operation_id)), AUTHOR)
    [found] = scores(label(RIGHT)).calibration_of_matches.bins

    assert (found.clips, found.right) == (2, 1)


def set_certainty(engine: Engine, probability_now: dict[str, float | None]) -> None:
    """Let clips, by name, be as sure as that; None as if their speakers had never been judged."""
    with engine.begin() as connection:
        for name, probability in probability_now.items():
            values = {"name": name, "p": probability}
            of_clip = "WHERE clip_id = (SELECT clip_id FROM clip WHERE name = :name)"
            if probability is None:
                connection.execute(text(f"DELETE FROM certainty {of_clip}"), values)
            else:
                connection.execute(text(f"UPDATE certainty SET probability = :p {of_clip}"), values)


def set_narrowness(engine: Engine, narrowness: dict[str, float | None]) -> None:
    """Let clips, by name, have been heard so; None as if an earlier version had taken them in."""
    query = text("UPDATE audio SET narrowness = :n WHERE audio_id = (SELECT audio_id FROM clip WHERE name = :name)")
    with engine.begin() as connection:
        for name, value in narrowness.items():
            connection.execute(query, {"name": name, "n": value})


def test_the_certainty_of_clips_as_they_stand_is_held_against_what_is_true(label: Label, registry: Engine) -> None:
    """Of F0001, c is another voice than the rest; x and y are one; z has no rest."""
    set_certainty(registry, {"a": 0.75, "b": 0.75, "c": 0.25, "x": 0.875, "y": 0.875, "z": 0.5})
    found = scores(label(RIGHT | {"6/c": "eva"})).calibration

    assert [(one.low, one.clips, one.predicted, one.right) for one in found.bins] == [
        (0.2, 1, 0.25, 0),
        (0.7, 2, 0.75, 1),
        (0.8, 2, 0.875, 1),
    ]
    assert (found.clips, found.expected_error) == (5, (1 * 0.25 + 2 * 0.25 + 2 * 0.125) / 5)


def test_what_was_decided_once_changes_nothing_of_the_certainty_now(label: Label, registry: Engine) -> None:
    before = scores(label(RIGHT))
    with registry.begin() as connection:
        connection.execute(text("UPDATE assignment SET probability = 0.5 WHERE reason = 'matched'"))
    after = scores(label(RIGHT))

    assert after.calibration == before.calibration
    assert after.calibration_of_matches.expected_error == 0.5 > before.calibration_of_matches.expected_error


def test_a_clip_is_judged_with_the_speaker_it_has_now(label: Label, registry: Engine) -> None:
    labels = {"6/c": "eva", "6/z": "eva", "5/a": "ana"}
    before = scores(label(labels)).calibration
    move(registry, [f"{night(6)}/c"], "F0003", AUTHOR)
    set_certainty(registry, {"c": 0.75, "z": 0.75})
    after = scores(label(labels)).calibration

    assert [(one.clips, one.right) for one in before.bins] == [(2, 0)]
    assert [(one.clips, one.predicted, one.right) for one in after.bins] == [(2, 0.75, 1)]


def test_a_clip_that_was_never_judged_says_nothing_itself_but_whose_the_rest_is(label: Label, registry: Engine) -> None:
    set_certainty(registry, {"a": 0.75, "b": None, "c": None})

    assert scores(label({"5/a": "ana", "5/b": "ana"})).calibration.clips == 1
    assert scores(label({"5/b": "ana", "6/c": "ana"})).calibration.clips == 0


def test_the_same_recording_of_another_night_is_not_the_rest_of_a_speaker(
    label: Label, registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("again", 3200, night(7)).write_bytes((indir / night(6) / "z.wav").read_bytes())
    ingest(registry, [indir], AUTHOR)
    found = label({"6/z": "eva", "7/again": "eva"})

    assert found.speakers_found == 1
    assert scores(found).calibration.clips == 0


def test_a_caller_filed_under_a_studio_voice_shows_by_sound(label: Label, registry: Engine) -> None:
    set_narrowness(registry, {"c": 0.5, "y": 0.49, "z": 1, "x": None})
    set_certainty(registry, {"a": 0.75, "b": 0.75, "c": 0.75, "x": 1, "y": 1})
    found = scores(label(RIGHT | {"6/c": "eva"}))

    assert {sound: astuple(part) for sound, part in found.by_sound.items()} == {
        "wide": pytest.approx((4, (2 / 3 + 2 / 3 + 1 + 1) / 4, 1, 2 * 0.25 / 4)),
        "narrow": pytest.approx((2, (1 / 3 + 1) / 2, 1 / 2, 0.75)),
    }
    whole = found.clustering.bcubed
    parts = found.by_sound.values()
    assert sum(part.clips * part.precision for part in parts) / 6 == pytest.approx(whole.precision)
    assert sum(part.clips * part.recall for part in parts) / 6 == pytest.approx(whole.recall)


def test_a_sound_of_which_no_clip_can_be_judged_has_no_calibration_error(label: Label, registry: Engine) -> None:
    set_narrowness(registry, {"z": 1})
    by_sound = scores(label(RIGHT)).by_sound

    assert by_sound["narrow"] == OfSound(1, 1, 1, None)
    assert list(scores(label({"5/a": "ana"})).by_sound) == ["wide"]


def test_more_labels_take_no_more_queries(label: Label, registry: Engine) -> None:
    asked: list[str] = []
    event.listen(registry, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    label({"5/a": "ana"})
    few = len(asked)
    label(RIGHT | {str(key): "ana" for key in range(1000, 3000)})

    assert len(asked) == 2 * few


def test_who_looks_can_change_nothing(registry: Engine) -> None:
    with looking(registry) as connection, pytest.raises(InternalError, match="read-only transaction"):
        connection.execute(text("DELETE FROM assignment"))


def test_without_labels_the_stored_probabilities_are_added_up(registry: Engine) -> None:
    with registry.begin() as connection:
        connection.execute(text("UPDATE assignment SET probability = 0.5 WHERE reason = 'matched'"))
        connection.execute(text("UPDATE assignment SET runner_up_probability = 0.125 WHERE reason = 'new'"))
    set_certainty(registry, {"a": 0.75, "b": 1, "c": 1, "x": 0.5, "y": 0.875, "z": 0.25})
    found = estimate(registry)

    assert (found.reasons, found.clips, found.not_judged) == ({"new": 4, "matched": 2}, 6, 0)
    assert (found.strays.count, found.strays.wrong) == (5, 0.875)  # z is all there is of its speaker
    assert found.expected_precision == 1 - 0.875 / 6
    assert (found.new.count, found.new.wrong) == (3, 0.375)  # a and b are one decision
    assert [(one.speaker, one.clips, one.wrong) for one in found.worst] == [
        ("andaiafm/F0002", 2, 0.625),
        ("andaiafm/F0001", 3, 0.25),
    ]
    assert [Path(path).stem for path in found.worst[0].files] == ["x", "y"]
    assert (found.joined.count, found.joins) == (0, ())


def test_estimates_are_told_by_sound(registry: Engine) -> None:
    set_narrowness(registry, {"a": None, "c": 0.5, "y": 1, "z": 1})
    set_certainty(registry, {"a": 0.75, "b": 1, "c": 0.5, "x": 1, "y": 0.75, "z": 0.25})
    found = estimate(registry)

    assert found.by_sound == {
        "wide": Certainty(3, 0, Expected(3, 0.25), 1 - 0.25 / 3),
        "narrow": Certainty(3, 0, Expected(2, 0.75), 1 - 0.75 / 3),
    }
    assert [(one.speaker, one.clips, one.wrong) for one in found.worst] == [
        ("andaiafm/F0001", 3, 0.75),
        ("andaiafm/F0002", 2, 0.25),
    ]


def test_clips_of_speakers_that_were_never_judged_are_left_out_and_counted(registry: Engine) -> None:
    set_certainty(registry, {"a": None, "b": None, "c": None, "x": 0.75, "y": 0.75, "z": 1})
    found = estimate(registry)
    set_certainty(registry, dict.fromkeys("xyz"))
    none = estimate(registry)

    assert (found.not_judged, found.strays, found.expected_precision) == (3, Expected(2, 0.5), 1 - 0.5 / 3)
    assert (none.not_judged, none.strays.count, none.expected_precision, none.worst) == (6, 0, None, ())


def test_one_recording_on_two_nights_cannot_be_another_voice_than_itself(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("again", 3200, night(7)).write_bytes((indir / night(6) / "z.wav").read_bytes())
    ingest(registry, [indir], AUTHOR)
    found = estimate(registry)

    assert (found.clips, found.strays.count) == (7, 5)
    assert "andaiafm/F0003" not in [one.speaker for one in found.worst]


def test_a_join_is_named_with_both_speakers(
    registry: Engine, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "def":
        make_clip(name, 400, night(7))
    ingest(registry, [indir], AUTHOR)
    move(registry, [f"{night(7)}/{name}" for name in "def"], "new", AUTHOR)
    with registry.begin() as connection:
        connection.execute(text("DELETE FROM verdict"))
    monkeypatch.setattr("registry.settings.YOUNG_AUDIOS", 0)  # of a young registry all clips are clustered anew
    consolidate(registry, AUTHOR)
    found = estimate(registry)
    [join] = found.joins
    moved = move(registry, [f"{night(7)}/d"], "F0002", AUTHOR)
    undo(registry, int(str(moved.operation_id)), AUTHOR)

    assert estimate(registry).joins == found.joins
    assert (join.speaker, join.joined, join.clips) == ("andaiafm/F0001", "andaiafm/F0004", 3)
    assert (found.joined.count, found.joined.wrong) == (1, 1 - join.probability)
    assert found.reasons["joined"] == 3


def test_what_people_decided_is_not_in_doubt(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    with registry.begin() as connection:
        connection.execute(
            text("""
            UPDATE assignment SET runner_up_probability = 0.125, runner_up_id = (
                SELECT speaker_id FROM speakers WHERE number = 'F0001')
            WHERE clip_id = (SELECT clip_id FROM clip WHERE name = 'z')
            """)
        )
    set_certainty(registry, dict.fromkeys("abcxyz", 0.75))
    before = estimate(registry)
    confirm(registry, ["F0001"], AUTHOR)
    confirm(registry, [f"{night(6)}/y"], AUTHOR)
    different(registry, "F0001", "F0003", AUTHOR)
    after = estimate(registry)
    make_clip("d", 400, night(7))
    ingest(registry, [indir], AUTHOR)

    assert (before.strays, after.strays) == (Expected(5, 1.25), Expected(1, 0.25))  # x is left
    assert after.expected_precision == 1 - 0.25 / 6
    assert [(one.speaker, one.clips) for one in after.worst] == [("andaiafm/F0002", 1)]
    assert before.new.count - after.new.count == 1
    assert estimate(registry).strays.count == 2  # one was heard after the speaker was confirmed


def test_an_empty_registry_expects_nothing(engine: Engine) -> None:
    found = estimate(engine)

    assert (found.clips, found.strays.count, found.new.wrong, found.joins) == (0, 0, 0, ())
    assert (found.expected_precision, found.by_sound) == (None, {})
