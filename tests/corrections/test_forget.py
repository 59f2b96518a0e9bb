"""What is forgotten is nowhere any more, and stays so."""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from uuid import uuid4

import pytest
from sqlalchemy import Engine, inspect, text

from registry.corrections.change import Change, change
from registry.corrections.forget import forget_older_than, forget_speaker
from registry.corrections.merge import merge, unite_speakers
from registry.corrections.move import confirm, move
from registry.corrections.rename import rename
from registry.corrections.undo import undo
from registry.corrections.withdraw import withdraw
from registry.database.check import check
from registry.database.reach import reach
from registry.database.store import forgetting, operations, withdrawal
from registry.database.store.clips import Clip
from registry.database.store.operations import Author
from registry.database.store.tables import clip, columns_naming, speaker
from registry.database.vacuum import vacuum
from registry.errors import UndoRefused, UnknownSpeaker
from registry.export import export
from registry.ingest import ingest, take_in
from registry.speech.workers import Heard, LocalWorkers, Pending
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Two speakers on two nights: Maria is F0001."""
    for day in (5, 6):
        make_clip("maria", 400, night(day), text="sou a Maria")
        make_clip("eva", 2000, night(day), text="sou a Eva")
    ingest(engine, [indir], AUTHOR)
    label = number_of(engine, "maria")
    rename(engine, label, "Maria Silva", AUTHOR, notes="das notícias")
    return engine


def number_of(engine: Engine, name: str) -> str:
    with engine.connect() as connection:
        query = text("SELECT DISTINCT number FROM clips WHERE name = :name")
        return str(connection.execute(query, {"name": name}).scalar_one())


def everything_written(engine: Engine) -> Iterator[str]:
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            yield from (str(row) for row in connection.execute(text(f"SELECT {table}::text FROM {table}")).scalars())


def test_no_table_holds_a_trace_of_a_forgotten_person(registry: Engine) -> None:
    label = number_of(registry, "maria")
    forget_speaker(registry, label, AUTHOR)

    written = "\n".join(everything_written(registry))

    assert all(trace not in written for trace in ("Maria", "maria", "notícias"))
    assert "sou a Eva" in written
    assert check(registry) == []


def test_the_number_stays_retired(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    label = number_of(registry, "maria")
    forget_speaker(registry, label, AUTHOR)
    make_clip("joana", 3200, night(7))
    ingest(registry, [indir], AUTHOR)

    assert number_of(registry, "joana") == "F0003"
    with pytest.raises(UnknownSpeaker):
        forget_speaker(registry, label, AUTHOR)


def test_the_same_folder_does_not_bring_the_person_back(registry: Engine, indir: Path, tmp_path: Path) -> None:
    export(registry, tmp_path / "out")
    forget_speaker(registry, number_of(registry, "maria"), AUTHOR)

    report = ingest(registry, [indir], AUTHOR)
    export(registry, tmp_path / "out")

    assert (report.exit_code, report.total["forgotten"], report.total["new"]) == (0, 2, 0)
    assert not any(b"Maria" in content for content in tree(tmp_path / "out").values())
    assert check(registry) == []


def test_it_cannot_be_undone(registry: Engine) -> None:
    outcome = forget_speaker(registry, number_of(registry, "maria"), AUTHOR)

    with pytest.raises(UndoRefused, match="what it erased is gone"):
        undo(registry, int(str(outcome.operation_id)), AUTHOR)


def test_earlier_operations_can_still_be_undone(registry: Engine) -> None:
    forget_speaker(registry, number_of(registry, "maria"), AUTHOR)
    undo(registry, 1, AUTHOR, with_later=True)

    assert check(registry) == []


def test_the_paths_in_command_lines_are_hidden(registry: Engine, indir: Path) -> None:
    path = str(indir / night(5) / "maria.wav")
    confirm(registry, [path], Author("tester", f"registry confirm {path}"))
    forget_speaker(registry, number_of(registry, "maria"), AUTHOR)

    assert "maria" not in "\n".join(everything_written(registry))


def test_command_lines_about_old_clips_go_with_them(registry: Engine) -> None:
    clip = f"{night(5)}/maria"
    move(registry, [clip], number_of(registry, "eva"), Author("tester", f"registry move {clip}"))
    merged_ones = merge(registry, ["F0001", "F0002"], Author("tester", "registry merge F0001 F0002"))
    forget_older_than(registry, dt.date(2020, 11, 6), AUTHOR)

    with registry.connect() as connection:
        commands = connection.execute(text("SELECT command FROM operation ORDER BY operation_id")).scalars().all()
    assert clip not in "".join(commands)
    assert commands[int(str(merged_ones.operation_id)) - 1] == "registry merge F0001 F0002"


def test_a_plan_forgets_nobody(registry: Engine) -> None:
    before = sorted(everything_written(registry))
    outcome = forget_speaker(registry, number_of(registry, "maria"), AUTHOR, plan_only=True)

    assert outcome.summary["clips"] == 2
    assert sorted(everything_written(registry)) == before


def test_old_nights_are_forgotten_and_younger_ones_stay(registry: Engine) -> None:
    forget_older_than(registry, dt.date(2020, 11, 6), AUTHOR)

    with registry.connect() as connection:
        dates = connection.execute(text("SELECT DISTINCT date FROM clips")).scalars().all()
    assert dates == [dt.date(2020, 11, 6)]
    assert check(registry) == []


@pytest.fixture
def registry_of_many(engine: Engine, indir: Path, make_clip: MakeClip) -> Engine:
    """Six speakers; a merge of two low numbers is not what was done last."""
    for number in range(6):
        make_clip(f"v{number}", 500 * (number + 1), night(5))
    ingest(engine, [indir], AUTHOR)
    rename(engine, "F0003", "Zuleika", Author("tester", "registry rename F0003 Zuleika"), notes="rua 5")
    withdraw(engine, [f"{night(5)}/v2"], AUTHOR)
    return engine


@pytest.mark.parametrize("called", ["F0001", "F0003"])
def test_whoever_was_merged_is_forgotten_whatever_number_was_given_last(registry_of_many: Engine, called: str) -> None:
    merging = merge(registry_of_many, ["F0001", "F0003"], AUTHOR)
    forget_speaker(registry_of_many, called, AUTHOR)

    written = "\n".join(everything_written(registry_of_many))
    assert not any(trace in written for trace in ("Zuleika", "rua 5", "v2"))
    with pytest.raises(UndoRefused, match="forgotten somebody"):
        undo(registry_of_many, int(str(merging.operation_id)), AUTHOR)
    assert check(registry_of_many) == []


def test_what_an_earlier_version_left_of_the_forgotten_is_found_and_erased(
    registry_of_many: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge(registry_of_many, ["F0001", "F0003"], AUTHOR)
    with monkeypatch.context() as earlier:
        earlier.setattr(withdrawal, "became", lambda _, speaker_ids: {one: {one} for one in speaker_ids})
        forget_speaker(registry_of_many, "F0001", AUTHOR)
    found = check(registry_of_many)

    assert [violation.invariant for violation in found] == ["nothing leads to a speaker who was forgotten"]
    assert ("andaiafm/F0003", "speaker_name") in found[0].rows
    forget_speaker(registry_of_many, "andaiafm/F0003", AUTHOR)
    assert not any("Zuleika" in row for row in everything_written(registry_of_many))
    assert check(registry_of_many) == []


def merged(engine: Engine) -> str:
    """Name Eva, merge her with Maria as one person, and give the number that stays."""
    rename(engine, number_of(engine, "eva"), "Eva Lima", Author("tester", "registry rename 'Eva Lima'"), notes="rua 5")
    merge(engine, ["F0001", "F0002"], Author("tester", "registry merge 'Eva Lima' F0001"))
    return "F0001"


def test_whoever_was_merged_is_forgotten_too(registry: Engine) -> None:
    forget_speaker(registry, merged(registry), AUTHOR)

    written = "\n".join(everything_written(registry))
    assert not any(trace in written for trace in ("Eva", "Lima", "rua 5", "Maria", "maria"))
    assert check(registry) == []


def test_a_merge_of_the_forgotten_cannot_be_undone(registry: Engine) -> None:
    forget_speaker(registry, merged(registry), AUTHOR)

    for operation in (3, 4, 5):  # two names, the merge
        with pytest.raises(UndoRefused, match=r"nothing of it is left|forgotten somebody"):
            undo(registry, operation, AUTHOR, with_later=True)
    with pytest.raises(UnknownSpeaker):
        forget_speaker(registry, "F0002", AUTHOR)
    assert check(registry) == []


def test_clips_that_came_from_the_forgotten_stay_where_people_put_them(registry: Engine) -> None:
    label = number_of(registry, "maria")
    moved = move(registry, [f"{night(5)}/maria"], number_of(registry, "eva"), AUTHOR)
    forget_speaker(registry, label, AUTHOR)

    with pytest.raises(UndoRefused, match="forgotten somebody"):
        undo(registry, int(str(moved.operation_id)), AUTHOR)
    with pytest.raises(UndoRefused, match="forgotten somebody"):
        undo(registry, 1, AUTHOR)
    assert check(registry) == []


def test_the_same_recording_goes_wherever_it_was_heard(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    wav = make_clip("again", 400, night(7, broadcaster="other"))
    wav.write_bytes((indir / night(5) / "maria.wav").read_bytes())
    ingest(registry, [indir], AUTHOR)
    move(registry, [f"{night(7, broadcaster='other')}/again"], "new", AUTHOR)

    forget_speaker(registry, f"andaiafm/{number_of(registry, 'maria')}", AUTHOR)

    assert "again" not in "\n".join(everything_written(registry))
    assert check(registry) == []


def test_a_sound_that_a_newer_night_holds_is_kept_with_it(registry: Engine, indir: Path, make_clip: MakeClip) -> None:
    wav = make_clip("again", 400, night(7))
    wav.write_bytes((indir / night(5) / "maria.wav").read_bytes())
    ingest(registry, [indir], AUTHOR)

    forget_older_than(registry, dt.date(2020, 11, 6), AUTHOR)

    assert number_of(registry, "again") == number_of(registry, "maria")
    assert check(registry) == []


def test_a_speaker_merged_into_one_that_stays_keeps_its_history(registry: Engine) -> None:
    """The older nights go; whom the younger ones are of is still known, and the merge can be taken back."""
    merged(registry)
    forget_older_than(registry, dt.date(2020, 11, 6), AUTHOR)
    undo(registry, 5, AUTHOR)

    with registry.connect() as connection:
        names = connection.execute(text("SELECT name FROM speakers ORDER BY number")).scalars().all()
    assert sorted(names) == ["Eva Lima", "Maria Silva"]
    assert check(registry) == []


def test_old_nights_of_merged_speakers_take_them_all_along(registry: Engine) -> None:
    merged(registry)
    forget_older_than(registry, dt.date(2020, 11, 7), AUTHOR)

    written = "\n".join(everything_written(registry))
    assert not any(trace in written for trace in ("Eva", "Lima", "rua 5", "Maria"))
    with pytest.raises(UndoRefused):
        undo(registry, 5, AUTHOR)
    assert check(registry) == []


def test_speakers_joined_by_the_registry_are_forgotten_together(registry: Engine) -> None:
    rename(registry, "F0002", "Eva Lima", AUTHOR)

    def join(under_way: Change) -> dict[str, object]:
        speakers = text("SELECT speaker_id FROM speakers ORDER BY number")
        keys = under_way.connection.execute(speakers).scalars().all()
        unite_speakers(under_way, keys[0], keys[1], "joined")
        return {}

    joined = change(registry, Author("tester", "registry consolidate 'Eva'"), "consolidate", join)
    forget_speaker(registry, "F0001", AUTHOR)

    assert not any("Eva" in row for row in everything_written(registry))
    with pytest.raises(UndoRefused, match="forgotten somebody"):
        undo(registry, int(str(joined.operation_id)), AUTHOR)
    assert check(registry) == []


@pytest.mark.parametrize(
    ("place", "function"), [(take_in, "embed_new"), (LocalWorkers, "embed"), (take_in, "link_group")]
)
def test_an_ingest_that_had_begun_does_not_bring_the_person_back(
    registry: Engine,
    database_url: str,
    indir: Path,
    make_clip: MakeClip,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    function: str,
) -> None:
    """Another ingest takes the same night in, and the person is forgotten, before the first one goes on."""
    make_clip("maria", 400, night(8))
    original = getattr(place, function)
    nested = iter([True])

    def after_the_forgetting(*args: object, **options: object) -> object:
        if next(nested, False):
            with reach(database_url) as opened:
                ingest(opened.engine, [indir], AUTHOR)
                forget_speaker(opened.engine, number_of(opened.engine, "maria"), AUTHOR)
        return original(*args, **options)

    monkeypatch.setattr(place, function, after_the_forgetting)
    report = ingest(registry, [indir], AUTHOR)

    with registry.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM clips WHERE name = 'maria'")).scalar_one()
    assert (left, report.total["new"], check(registry)) == (0, 0, [])
    assert [group.forgotten for group in report.groups if str(group.group) == night(8)] == [1]


def test_what_was_embedded_is_stored_after_a_forgetting_that_is_under_way(
    registry: Engine, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its vector waits for the forgetting, which lists the sound and commits a little later."""
    make_clip("maria", 400, night(8))
    original = LocalWorkers.embed

    def while_somebody_forgets(self: LocalWorkers, heard: list[Heard[Clip]]) -> Pending:
        under_way = registry.connect()
        operations.lock_registry(under_way)
        listed = {"audio_hash": bytes.fromhex(heard[0].sound.audio_hash)}
        under_way.execute(text("INSERT INTO forgotten_audio VALUES (:audio_hash)"), listed)

        def end() -> None:
            under_way.commit()
            under_way.close()

        Timer(1.5, end).start()
        return original(self, heard)

    monkeypatch.setattr(LocalWorkers, "embed", while_somebody_forgets)
    report = ingest(registry, [indir], AUTHOR)

    assert (report.total["new"], report.total["forgotten"], check(registry)) == (0, 1, [])


def test_every_table_that_names_a_speaker_or_a_clip_is_erased_from() -> None:
    """Those that triggers keep, of what clips add up to, empty themselves."""
    statements = [*forgetting.ERASE_CLIPS.values(), *forgetting.ERASE_TRACES.values(), *forgetting.RETIRE_NUMBERS]
    erased = {word for words in statements for word in re.findall(r"(?:DELETE FROM|UPDATE) (\w+)", words)}

    naming = {column.table.name for table in (speaker, clip) for column in columns_naming(table)}
    assert naming - erased == {"speaker_night", "speaker_total"}


def test_erased_rows_that_an_old_snapshot_still_sees_are_owed(
    registry: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("registry.database.vacuum.SNAPSHOT_PATIENCE_S", 0.0)
    with registry.connect().execution_options(isolation_level="REPEATABLE READ") as reading:
        reading.execute(text("SELECT 1"))
        forget_speaker(registry, number_of(registry, "maria"), AUTHOR)
        assert "another session, begun before, still sees" in caplog.text
        assert [one.invariant for one in check(registry)] == [
            "no bytes of what was forgotten are left in the database's files"
        ]

    assert vacuum(registry).tables
    assert check(registry) == []


def test_a_role_that_does_not_own_the_tables_is_told_that_their_bytes_stay(
    registry: Engine, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    role = f"stranger_{uuid4().hex}"
    with registry.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN IN ROLE pg_read_all_data, pg_write_all_data"))
    with reach(database_url.replace("postgres@", f"{role}@")) as opened:
        done = vacuum(opened.engine)
    with registry.begin() as connection:
        connection.execute(text(f"DROP ROLE {role}"))

    assert (done.tables, done.log) == (False, False)
    assert "the tables are another role's" in caplog.text
