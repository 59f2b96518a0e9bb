"""What leaves the tree and has no other copy is set aside; what was forgotten is not."""

import datetime as dt
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.corrections.forget import forget_older_than, forget_speaker
from registry.corrections.undo import undo
from registry.errors import TreeOfThePresent
from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model")
ASIDE = ".registry/set-aside/"


def set_aside(out: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(out).items() if path.startswith(ASIDE)}


def sounds(out: Path) -> list[bytes]:
    return sorted(content for path, content in tree(out).items() if path.endswith(".wav"))


def test_a_last_copy_is_set_aside_under_its_exported_name_with_its_transcript(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    sound = make_clip("b", 1200, night(6), text="b").read_bytes()
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    shutil.rmtree(indir / night(6))
    undo(engine, 2, AUTHOR)

    report = export(engine, out)

    assert (report.removed, report.unchanged, report.exit_code) == (0, 2, 0)
    assert sorted(set_aside(out).values()) == sorted([sound, b"b\n"])
    assert sorted(report.set_aside) == sorted(set_aside(out))
    assert all(path.startswith(f"{ASIDE}andaiafm20201106/andaiafm20201106F0002_000000.") for path in set_aside(out))


def test_what_has_a_source_still_is_removed(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    make_clip("b", 1200, night(6), text="b")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    undo(engine, 2, AUTHOR)

    assert export(engine, out).removed == 2
    assert set_aside(out) == {}


def test_a_source_that_is_a_link_into_the_tree_is_no_other_copy(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    wav = make_clip("b", 1200, night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    sound = wav.read_bytes()
    wav.unlink()
    wav.symlink_to(next(out.glob("andaiafm20201106/*/*.wav")))
    undo(engine, 2, AUTHOR)
    export(engine, out)

    assert sound in set_aside(out).values()


def test_what_is_overwritten_is_set_aside_too(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    for name in "ab":
        make_clip(name, text=name)
    ingest(engine, [indir], AUTHOR)
    make_clip("c", 1200, text="c")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = sounds(out)
    (indir / night(5)).rename(indir.parent / "away")
    undo(engine, 1, AUTHOR)  # so that c takes the place of a
    report = export(engine, out)

    assert (report.renamed, len(report.set_aside)) == (2, 4)
    assert sounds(out) == before


def test_a_later_export_uses_what_was_set_aside(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    make_clip("b", 1200, night(6), text="b")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = tree(out)
    shutil.rmtree(indir / night(6))
    undo(engine, 2, AUTHOR)
    export(engine, out)
    undo(engine, 3, AUTHOR)

    report = export(engine, out)

    assert (report.written, report.exit_code) == (2, 0)
    assert tree(out) == before


@pytest.mark.parametrize("is_exported_before", [True, False])
def test_what_is_forgotten_is_in_the_set_aside_no_more(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, is_exported_before: bool
) -> None:
    make_clip("a", text="a")
    make_clip("b", 1200, night(6), text="b")
    make_clip("c", 2000, night(6), text="c")
    ingest(engine, [indir], AUTHOR)
    kept = [(indir / night(6) / "c.wav").read_bytes(), b"c\n"]
    export(engine, out)
    shutil.rmtree(indir)
    forget_speaker(engine, "F0002", AUTHOR) if not is_exported_before else None
    undo(engine, 2, AUTHOR)
    export(engine, out)
    forget_older_than(engine, dt.date(2020, 11, 6), AUTHOR)
    report = export(engine, out)

    assert (report.exit_code, report.removed) == (0, 2)
    assert is_exported_before == (b"b\n" in set_aside(out).values())
    assert set(kept) <= set(set_aside(out).values())
    forget_older_than(engine, dt.date(2020, 11, 7), AUTHOR)
    export(engine, out)
    assert set_aside(out) == {}


def test_what_was_then_is_refused_where_the_present_is(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, tmp_path: Path
) -> None:
    make_clip("a")
    make_clip("b", group=night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = tree(out)

    for plan_only in (True, False):
        with pytest.raises(TreeOfThePresent, match="Name a folder of its own"):
            export(engine, out, as_of=1, plan_only=plan_only, may_remove=True)
    assert tree(out) == before
    assert export(engine, tmp_path / "then", as_of=1).written == 2
    assert export(engine, tmp_path / "then", as_of=2).written == 2


def test_last_copies_are_set_aside_from_a_tree_of_earlier_moments_too(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    make_clip("b", 1200, night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out, as_of=2)
    before = sounds(out)
    shutil.rmtree(indir)
    export(engine, out, as_of=1)

    assert sounds(out) == before
