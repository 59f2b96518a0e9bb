"""A second model is filled beside the first and takes over, with every number kept, and goes back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, text

from registry import settings
from registry.core.records import Floats
from registry.corrections.merge import different, merge
from registry.corrections.move import confirm
from registry.corrections.rename import rename
from registry.corrections.switch_model import switch_model
from registry.corrections.undo import undo
from registry.database.check import check
from registry.database.store import comparison, embeddings, journal, models
from registry.errors import CorrectionRefused, ModelMismatch, ModelMoved, UndoRefused
from registry.export import export
from registry.ingest import ingest
from registry.ingest.link import link_group
from registry.ingest.options import IngestOptions
from registry.ingest.reembed import reembed
from registry.speech.embedder import Embedder
from registry.whois import whois
from tests.conftest import AUTHOR, MakeClip, night, tree
from tests.corrections.test_any_sequence import state

FIRST, SECOND = "campplus", "second"


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip, two_models: dict[str, Embedder]) -> Engine:
    """Three voices on two nights, with corrections: six clips."""
    assert list(two_models) == [FIRST, SECOND]
    for day in (5, 6):
        for name, pitch_hz in (("a", 400), ("b", 1200), ("c", 2600)):
            make_clip(name, pitch_hz, night(day))
    ingest(engine, [indir], AUTHOR)
    rename(engine, "F0001", "Maria", AUTHOR)
    confirm(engine, ["F0002"], AUTHOR)
    different(engine, "F0001", "F0003", AUTHOR)
    return engine


def scalar(engine: Engine, query: str) -> object:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar_one()


def embeddings_of(engine: Engine, name: str) -> int:
    count = "SELECT count(*) FROM embedding JOIN embedding_model USING (model_id)"
    return int(str(scalar(engine, f"{count} WHERE name = '{name}'")))


def operations(engine: Engine) -> int:
    return int(str(scalar(engine, "SELECT count(*) FROM operation")))


def deciding(engine: Engine) -> str:
    return str(scalar(engine, "SELECT name FROM embedding_model WHERE model_id = deciding_model()"))


def numbers(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(text("SELECT date || '/' || name, number FROM clips"))}


def exported(engine: Engine, folder: Path) -> dict[str, bytes]:
    export(engine, folder)
    return tree(folder)


def interrupted_after(embedder: Embedder, clips: int) -> Embedder:
    left = iter(range(clips))

    def infer(samples: Floats) -> Floats:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return embedder.infer(samples)

    return replace(embedder, infer=infer)


def test_a_killed_reembed_embeds_only_the_rest(
    registry: Engine, two_models: dict[str, Embedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "EMBEDDING_BATCH_CLIPS", 2)
    second, before = two_models[SECOND], operations(registry)
    two_models[SECOND] = interrupted_after(second, 3)
    with pytest.raises(KeyboardInterrupt):
        reembed(registry, SECOND, AUTHOR)
    assert (embeddings_of(registry, SECOND), operations(registry)) == (2, before)
    assert check(registry) == []

    two_models[SECOND] = interrupted_after(second, 4)
    done = reembed(registry, SECOND, AUTHOR)
    assert (done.embedded, done.clips_without, done.exit_code) == (4, 0, 0)
    assert done.outcome.effects.models == ((SECOND, "", "beside"),)
    assert check(registry) == []


def test_another_run_changes_nothing(registry: Engine, two_models: dict[str, Embedder]) -> None:
    reembed(registry, SECOND, AUTHOR)
    before, count = state(registry), operations(registry)
    two_models[SECOND] = interrupted_after(two_models[SECOND], 0)
    again = reembed(registry, SECOND, AUTHOR)

    assert (again.embedded, again.outcome.operation_id, again.exit_code) == (0, None, 0)
    assert (state(registry), operations(registry)) == (before, count)


def test_what_came_in_since_is_caught_up_with_and_not_journalled(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    reembed(registry, SECOND, AUTHOR)
    make_clip("d", 400, night(7))
    ingest(registry, [indir], AUTHOR)
    with pytest.raises(CorrectionRefused, match=r"1 clips have no embedding under second; .*--model second again"):
        switch_model(registry, SECOND, AUTHOR)
    assert embeddings_of(registry, SECOND) == 6
    count = operations(registry)
    caught_up = reembed(registry, SECOND, AUTHOR)

    assert (caught_up.embedded, caught_up.outcome.operation_id, operations(registry)) == (1, None, count)
    profiles = "SELECT audios FROM profile WHERE speaker_id = 1 ORDER BY model_id"
    with registry.connect() as connection:
        assert list(connection.execute(text(profiles)).scalars()) == [3, 3]
    assert check(registry) == []


def damage_sound(wav: Path) -> None:
    wav.write_bytes(wav.read_bytes()[:-2] + b"\1\1")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(Path.unlink, "missing"), (damage_sound, "changed"), (lambda wav: wav.write_bytes(b"no sound"), "changed")],
    ids=["gone", "another sound", "no sound"],
)
def test_a_recording_without_its_file_is_named_and_the_rest_is_done(
    registry: Engine, indir: Path, damage: Callable[[Path], object], reason: str
) -> None:
    wav = indir / night(5) / "b.wav"
    content = wav.read_bytes()
    damage(wav)
    done = reembed(registry, SECOND, AUTHOR)
    assert [(one.path, one.reason) for one in done.rejected] == [(str(wav), reason)]
    assert (done.exit_code, done.embedded, done.clips_without) == (1, 5, 1)
    assert check(registry) == []
    with pytest.raises(CorrectionRefused, match="1 clips have no embedding under second"):
        switch_model(registry, SECOND, AUTHOR)

    wav.write_bytes(content)
    assert reembed(registry, SECOND, AUTHOR).exit_code == 0
    assert switch_model(registry, SECOND, AUTHOR).outcome.operation_id is not None


def test_any_file_with_the_same_recording_will_do(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    first = indir / night(5) / "a.wav"
    twin = make_clip("twin", 400, night(7))
    twin.write_bytes(first.read_bytes())
    ingest(registry, [indir], AUTHOR)
    twin.unlink()
    done = reembed(registry, SECOND, AUTHOR)

    assert (done.embedded, done.rejected) == (6, ())


def test_what_the_model_cannot_embed_is_named(registry: Engine, two_models: dict[str, Embedder]) -> None:
    two_models[SECOND] = replace(two_models[SECOND], infer=lambda samples: samples[:48] * 0)
    done = reembed(registry, SECOND, AUTHOR)

    assert (done.embedded, {one.reason for one in done.rejected}, len(done.rejected)) == (0, {"no-embedding"}, 6)


def test_after_the_switch_numbers_names_verdicts_and_the_tree_are_as_before(registry: Engine, tmp_path: Path) -> None:
    reembed(registry, SECOND, AUTHOR)
    before, tree_before = state(registry), exported(registry, tmp_path / "before")
    switched = switch_model(registry, SECOND, AUTHOR)

    after = state(registry)
    assert {name for name in before if before[name] != after[name]} == {"models", "profiles"}
    assert exported(registry, tmp_path / "after") == tree_before
    assert deciding(registry) == SECOND
    assert set(switched.outcome.effects.models) == {(FIRST, "deciding", "beside"), (SECOND, "beside", "deciding")}
    assert check(registry) == []


def test_the_report_counts_the_clips_that_stay(registry: Engine, make_clip: MakeClip, indir: Path) -> None:
    make_clip("d", 3400, night(7))  # heard once: nothing to compare it with
    ingest(registry, [indir], AUTHOR)
    reembed(registry, SECOND, AUTHOR)
    before, count = state(registry), operations(registry)
    planned = switch_model(registry, SECOND, AUTHOR, plan_only=True)

    [women] = planned.report.genders
    assert (women.gender, women.clips, women.stay, women.alone, women.share) == ("F", 6, 6, 1, 1.0)
    assert planned.report.worst == ()
    assert planned.outcome.operation_id is None
    assert (state(registry), operations(registry)) == (before, count)


def test_the_report_names_the_speakers_that_the_model_would_take_clips_from(registry: Engine) -> None:
    merge(registry, ["F0001", "F0002"], AUTHOR)
    reembed(registry, SECOND, AUTHOR)
    planned = switch_model(registry, SECOND, AUTHOR, plan_only=True)
    report = planned.report

    assert [(one.gender, one.clips) for one in report.genders] == [("F", 6)]
    assert planned.outcome.summary["clips_that_stay"] == report.genders[0].stay
    assert all(one.stay < one.clips for one in report.worst)


def test_the_report_holds_a_few_recordings_at_a_time(registry: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    reembed(registry, SECOND, AUTHOR)
    monkeypatch.setattr(comparison, "READ_TOGETHER", 4)
    with registry.begin() as connection:
        model = models.find(connection, SECOND)
        assert model is not None
        [scope] = comparison.scopes(connection, "registry")
        speaker_ids, _ = comparison.voices(connection, model, scope)
        read = [len(some.members) for some in comparison.members(connection, model, scope, speaker_ids)]

    assert read == [4, 2]


def test_a_reembed_asks_for_a_few_recordings_at_a_time(registry: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def next_left(*arguments: int) -> list[embeddings.LeftAudio]:
        found = embeddings.next_left(*arguments)  # type: ignore[arg-type]
        asked.append(len(found))
        return found

    monkeypatch.setattr(settings, "EMBEDDING_BATCH_CLIPS", 4)
    monkeypatch.setattr(
        "registry.ingest.reembed.embeddings", SimpleNamespace(**{**vars(embeddings), "next_left": next_left})
    )
    reembed(registry, SECOND, AUTHOR)

    assert asked == [4, 2, 0]


def test_registries_of_single_broadcasters_compare_within_each(
    engine: Engine, indir: Path, make_clip: MakeClip, two_models: dict[str, Embedder]
) -> None:
    assert two_models
    for broadcaster in ("andaiafm", "radiox"):
        for name in "abc":
            make_clip(name, 400, night(5, "F", broadcaster))
    ingest(engine, [indir], AUTHOR, IngestOptions(scope="broadcaster"))
    reembed(engine, SECOND, AUTHOR)
    [women] = switch_model(engine, SECOND, AUTHOR).report.genders

    assert (women.clips, women.stay) == (6, 6)
    assert check(engine) == []


def test_the_next_night_is_embedded_by_the_new_model_and_finds_the_old_speakers(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    reembed(registry, SECOND, AUTHOR)
    switch_model(registry, SECOND, AUTHOR)
    for name, pitch_hz in (("a", 2600), ("b", 400), ("c", 1200), ("d", 3400)):
        make_clip(name, pitch_hz, night(7), seed=7)
    ingest(registry, [indir], AUTHOR)

    assert (embeddings_of(registry, FIRST), embeddings_of(registry, SECOND)) == (6, 10)
    found = numbers(registry)
    assert [found[f"2020-11-07/{name}"] for name in "abcd"] == ["F0003", "F0001", "F0002", "F0004"]
    assert check(registry) == []


def test_whois_and_similar_speakers_ask_the_deciding_model(
    registry: Engine, make_clip: MakeClip, two_models: dict[str, Embedder]
) -> None:
    reembed(registry, SECOND, AUTHOR)
    switch_model(registry, SECOND, AUTHOR)
    two_models[FIRST] = interrupted_after(two_models[FIRST], 0)
    [best, *_] = whois(registry, [make_clip("x", 1200, "other", seed=9)])[0].candidates

    assert best.label == "andaiafm/F0002"
    assert scalar(registry, "SELECT count(*) FROM similar_speakers(1, 5)") == 2


def test_an_ingest_by_another_model_is_refused_and_says_how_to_move_over(registry: Engine, indir: Path) -> None:
    reembed(registry, SECOND, AUTHOR)
    with pytest.raises(ModelMismatch, match=r"campplus, not on second: .*registry reembed .* registry switch-model"):
        ingest(registry, [indir], AUTHOR, IngestOptions(model=SECOND))
    switch_model(registry, SECOND, AUTHOR)
    with pytest.raises(ModelMismatch, match="second, not on campplus"):
        ingest(registry, [indir], AUTHOR, IngestOptions(model=FIRST))

    assert ingest(registry, [indir], AUTHOR, IngestOptions(model=SECOND)).exit_code == 0


def test_an_ingest_that_a_switch_overtakes_gives_no_speakers(
    registry: Engine, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    reembed(registry, SECOND, AUTHOR)
    make_clip("d", 400, night(7))

    def switch_and_link(*arguments: object, **options: object) -> object:
        switch_model(registry, SECOND, AUTHOR)
        return link_group(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as overtaken:
        overtaken.setattr("registry.ingest.take_in.link_group", switch_and_link)
        with pytest.raises(ModelMoved, match=r"went over to the embedding model second .* by campplus"):
            ingest(registry, [indir], AUTHOR)
    assert len(numbers(registry)) == 6
    assert check(registry) == []

    ingest(registry, [indir], AUTHOR)
    assert numbers(registry)["2020-11-07/d"] == "F0001"
    assert check(registry) == []


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("nobody", "nobody is not kept beside the model that decides; registry reembed --model nobody first"),
        ("two words", "registry reembed --model 'two words' first"),
        (FIRST, r"campplus \(fake-fingerp\) decides already"),
        (SECOND, "registry reembed --model second first"),
    ],
)
def test_a_model_that_cannot_decide_is_refused(registry: Engine, name: str, cause: str) -> None:
    undo(registry, int(str(reembed(registry, SECOND, AUTHOR).outcome.operation_id)), AUTHOR)
    before, count = state(registry), operations(registry)
    with pytest.raises(CorrectionRefused, match=cause):
        switch_model(registry, name, AUTHOR)

    assert (state(registry), operations(registry)) == (before, count)


def test_an_empty_registry_has_nothing_to_embed(engine: Engine, two_models: dict[str, Embedder]) -> None:
    assert two_models
    with pytest.raises(CorrectionRefused, match="the registry is empty"):
        reembed(engine, SECOND, AUTHOR)
    with pytest.raises(CorrectionRefused, match="the registry is empty"):
        switch_model(engine, SECOND, AUTHOR)


def test_undo_takes_each_back_exactly_and_keeps_the_embeddings(registry: Engine) -> None:
    before = state(registry)
    filled = int(str(reembed(registry, SECOND, AUTHOR).outcome.operation_id))
    beside = state(registry)
    switched = int(str(switch_model(registry, SECOND, AUTHOR).outcome.operation_id))
    after = state(registry)
    with pytest.raises(UndoRefused, match=f"later operations build on it: {switched}"):
        undo(registry, filled, AUTHOR)

    [taken_back] = undo(registry, switched, AUTHOR)
    assert state(registry) == beside
    assert set(taken_back.effects.models) == {(FIRST, "beside", "deciding"), (SECOND, "deciding", "beside")}
    again = int(str(undo(registry, int(str(taken_back.operation_id)), AUTHOR)[0].operation_id))
    assert state(registry) == after
    undo(registry, again, AUTHOR)
    undo(registry, filled, AUTHOR)
    assert state(registry) == before
    assert embeddings_of(registry, SECOND) == 6
    assert check(registry) == []
    assert reembed(registry, SECOND, AUTHOR).embedded == 0
    assert state(registry) == beside


def test_after_new_nights_the_former_model_has_to_embed_them_first(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    reembed(registry, SECOND, AUTHOR)
    switched = int(str(switch_model(registry, SECOND, AUTHOR).outcome.operation_id))
    make_clip("a", 400, night(7))
    make_clip("b", 3400, night(7))
    ingest(registry, [indir], AUTHOR)
    for plan_only in (True, False):
        with pytest.raises(UndoRefused, match=r"2 clips have no embedding under campplus; .*--model campplus first"):
            undo(registry, switched, AUTHOR, plan_only=plan_only)
    assert deciding(registry) == SECOND
    filled = reembed(registry, FIRST, AUTHOR)
    assert (filled.embedded, filled.outcome.operation_id) == (2, None)

    undo(registry, switched, AUTHOR)
    assert deciding(registry) == FIRST
    assert numbers(registry)["2020-11-07/a"] == "F0001"
    assert check(registry) == []


def test_an_undone_night_comes_back_only_once_the_deciding_model_has_embedded_it(
    registry: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("d", 400, night(7))
    ingest(registry, [indir], AUTHOR)
    [undone] = undo(registry, operations(registry), AUTHOR)
    reembed(registry, SECOND, AUTHOR)
    with registry.begin() as connection:  # as if it had not been there when the second model was filled
        connection.execute(text("DELETE FROM embedding WHERE model_id = 2 AND audio_id = 7"))
    switch_model(registry, SECOND, AUTHOR)
    with pytest.raises(UndoRefused, match=r"1 clips have no embedding under second; .*--model second first"):
        undo(registry, int(str(undone.operation_id)), AUTHOR)
    assert reembed(registry, SECOND, AUTHOR).embedded == 1

    undo(registry, int(str(undone.operation_id)), AUTHOR)
    assert numbers(registry)["2020-11-07/d"] == "F0001"
    assert check(registry) == []


def test_a_file_of_an_undone_night_need_not_be_there(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    wav = make_clip("d", 400, night(7))
    ingest(registry, [indir], AUTHOR)
    undo(registry, operations(registry), AUTHOR)
    wav.unlink()

    assert reembed(registry, SECOND, AUTHOR).exit_code == 0
    assert check(registry) == []


def test_the_first_model_decides_again_after_a_switch_to_it(registry: Engine) -> None:
    reembed(registry, SECOND, AUTHOR)
    switch_model(registry, SECOND, AUTHOR)
    there = state(registry)
    switched_back = switch_model(registry, FIRST, AUTHOR).outcome
    assert deciding(registry) == FIRST
    assert set(switched_back.effects.models) == {(FIRST, "beside", "deciding"), (SECOND, "deciding", "beside")}
    assert check(registry) == []

    undo(registry, int(str(switched_back.operation_id)), AUTHOR)
    assert state(registry) == there


def test_of_three_models_one_decides_and_undo_says_which_switch_is_in_the_way(
    registry: Engine, two_models: dict[str, Embedder]
) -> None:
    two_models["third"] = replace(two_models[SECOND], name="third", fingerprint="third")
    for name in (SECOND, "third"):
        reembed(registry, name, AUTHOR)
    to_second = int(str(switch_model(registry, SECOND, AUTHOR).outcome.operation_id))
    undone = int(str(undo(registry, to_second, AUTHOR)[0].operation_id))
    to_third = int(str(switch_model(registry, "third", AUTHOR).outcome.operation_id))
    with pytest.raises(UndoRefused, match=f"later operations build on it: {to_third}"):
        undo(registry, undone, AUTHOR)
    with registry.connect() as connection:
        assert [kept.name for kept in models.beside(connection)] == [FIRST, SECOND]

    undo(registry, undone, AUTHOR, with_later=True)
    assert deciding(registry) == SECOND
    switch_model(registry, "third", AUTHOR)
    assert deciding(registry) == "third"
    assert check(registry) == []


def test_of_two_models_of_one_name_the_one_beside_is_meant(registry: Engine, two_models: dict[str, Embedder]) -> None:
    two_models[FIRST] = replace(two_models[SECOND], name=FIRST, fingerprint="newer-weights")
    done = reembed(registry, FIRST, AUTHOR)
    assert done.outcome.effects.models == (("campplus (newer-weight)", "", "beside"),)
    switch_model(registry, FIRST, AUTHOR)
    assert scalar(registry, "SELECT deciding_model()") == 2
    with pytest.raises(CorrectionRefused, match=r"campplus \(newer-weight\) decides already"):
        switch_model(registry, FIRST, AUTHOR)
    assert check(registry) == []


def test_forgetting_leaves_no_vector_of_any_model(registry: Engine) -> None:
    from registry.corrections.forget import forget_speaker

    reembed(registry, SECOND, AUTHOR)
    forget_speaker(registry, "F0001", AUTHOR)

    assert (embeddings_of(registry, FIRST), embeddings_of(registry, SECOND)) == (4, 4)
    assert check(registry) == []


def test_what_is_forgotten_during_a_reembed_does_not_come_back(
    registry: Engine, two_models: dict[str, Embedder]
) -> None:
    from registry.corrections.forget import forget_speaker

    second, forgetting = two_models[SECOND], iter([True])

    def infer(samples: Floats) -> Floats:
        if next(forgetting, False):
            forget_speaker(registry, "F0001", AUTHOR)
        return second.infer(samples)

    two_models[SECOND] = replace(second, infer=infer)
    reembed(registry, SECOND, AUTHOR)

    assert scalar(registry, "SELECT count(*) FROM audio") == 4
    assert embeddings_of(registry, SECOND) == 4
    assert check(registry) == []


def test_the_journal_says_what_agreed(registry: Engine) -> None:
    reembed(registry, SECOND, AUTHOR)
    operation_id = int(str(switch_model(registry, SECOND, AUTHOR).outcome.operation_id))
    with registry.connect() as connection:
        entry = journal.entry(connection, operation_id)

    assert entry is not None
    assert (entry.kind, entry.summary) == (
        "switch-model",
        {"from": FIRST, "to": SECOND, "clips_compared": 6, "clips_that_stay": 6},
    )
