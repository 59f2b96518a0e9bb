"""A tree belongs to the registry that wrote it, and loses nothing that no operation took out."""

import datetime as dt
import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.corrections.forget import forget_older_than
from registry.corrections.undo import undo
from registry.database.embedded import EmbeddedServer
from registry.database.reach import reach
from registry.database.store.identity import registry_id
from registry.errors import OutputRefused, RemovalUnexplained, TreeOfAnother
from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, new_database, night, tree

pytestmark = pytest.mark.usefixtures("fake_model")
PAST = dt.date(2020, 11, 6)
MANIFEST = Path(".registry/manifest.jsonl")


def id_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(registry_id(connection))


def heading(out: Path) -> dict[str, object]:
    return dict(json.loads((out / MANIFEST).read_text().splitlines()[0]))


def make_it_old(out: Path) -> None:
    """Leave a manifest as it was written before registries had an identity."""
    lines = (out / MANIFEST).read_text().splitlines(keepends=True)
    (out / MANIFEST).write_text("".join(lines[1:]))


def lose_clips(engine: Engine, names: list[str]) -> None:
    """Take clips out of a registry as restoring an older backup does: no operation tells of it."""
    with engine.begin() as connection:
        for table in ("assignment", "clip"):
            which = "SELECT clip_id FROM clip WHERE name = ANY(:names)"
            connection.execute(text(f"DELETE FROM {table} WHERE clip_id IN ({which})"), {"names": names})


def test_the_manifest_names_the_registry_that_wrote_it(engine: Engine, out: Path) -> None:
    export(engine, out)

    assert heading(out) == {"registry": id_of(engine), "as_of": None}


@pytest.mark.parametrize("plan_only", [True, False])
def test_the_tree_of_another_registry_is_refused_and_stays(
    engine: Engine,
    server: EmbeddedServer,
    template: str,
    indir: Path,
    make_clip: MakeClip,
    out: Path,
    plan_only: bool,
) -> None:
    """Both took in the same clips, so that every file is known to both."""
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = tree(out)
    with new_database(server, template) as url, reach(url) as other:
        with other.engine.begin() as connection:
            connection.execute(text("UPDATE identity SET registry_id = gen_random_uuid()"))
        ingest(other.engine, [indir], AUTHOR)
        with pytest.raises(TreeOfAnother, match=f"registry {id_of(engine)} wrote .* this is registry .*REGISTRY_HOME"):
            export(other.engine, out, plan_only=plan_only, may_remove=True)

    assert tree(out) == before


def test_an_empty_tree_is_anybodys(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    export(engine, out)
    with engine.begin() as connection:
        connection.execute(text("UPDATE identity SET registry_id = gen_random_uuid()"))
    make_clip("a")
    ingest(engine, [indir], AUTHOR)

    assert export(engine, out).written == 2
    assert heading(out)["registry"] == id_of(engine)


def test_a_tree_from_before_identities_is_adopted_if_a_file_of_it_is_known(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_it_old(out)

    assert export(engine, out).unchanged == 2
    assert heading(out)["registry"] == id_of(engine)


def test_a_tree_from_before_identities_of_which_nothing_is_known_is_refused(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_it_old(out)
    lose_clips(engine, ["a"])
    before = tree(out)

    with pytest.raises(OutputRefused, match="the tree of another registry"):
        export(engine, out)
    assert tree(out) == before


def test_more_than_stays_is_not_removed_unless_somebody_agrees(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    for name in "abc":
        make_clip(name, text=name)
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = tree(out)
    lose_clips(engine, ["b", "c"])

    with pytest.raises(RemovalUnexplained, match=r"2 of the 3 clips .* --plan lists them"):
        export(engine, out)
    assert tree(out) == before
    planned = export(engine, out, plan_only=True)
    assert len(planned.to_set_aside) == 4
    assert "2 of the 3 clips" in planned.warnings[0]
    assert export(engine, out, may_remove=True).unchanged == 2
    assert set(before.values()) - set(tree(out).values()) == {before[str(MANIFEST)]}  # all the sound is there still


def test_a_tenth_of_a_large_tree_is_not_removed_unless_somebody_agrees(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    for number in range(110):
        make_clip(f"c{number:03}", seconds=0.3, text=f"{number}", seed=number)
    ingest(engine, [indir], AUTHOR)
    export(engine, out)

    lose_clips(engine, [f"c{number:03}" for number in range(99, 110)])
    assert len(export(engine, out).set_aside) == 22
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    lose_clips(engine, [f"c{number:03}" for number in range(98, 110)])
    with pytest.raises(RemovalUnexplained, match="12 of the 110 clips"):
        export(engine, out)


@pytest.mark.parametrize("explained", [lambda e: undo(e, 1, AUTHOR), lambda e: forget_older_than(e, PAST, AUTHOR)])
def test_what_an_operation_took_out_leaves_without_a_question(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, explained: object
) -> None:
    for name in "abc":
        make_clip(name)
    make_clip("d", 1200, night(6))
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    explained(engine)  # type: ignore[operator]

    report = export(engine, out)

    assert (report.removed, report.set_aside, report.unchanged) == (6, [], 2)
