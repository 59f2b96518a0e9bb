"""Any sequence of operations leaves a sound registry, and taking all of it back leaves what was there at first."""

import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, text

from registry.corrections.consolidate import consolidate
from registry.corrections.merge import different, merge
from registry.corrections.move import confirm, move, reject
from registry.corrections.rename import rename
from registry.corrections.split import split
from registry.corrections.switch_model import switch_model
from registry.corrections.undo import undo
from registry.corrections.withdraw import withdraw
from registry.database.check import check
from registry.errors import CorrectionRefused, LabelsTooFew, UndoRefused
from registry.evaluation.calibrate import calibrate
from registry.export import export
from registry.ingest import ingest
from registry.ingest.reembed import reembed
from registry.ingest.replace import replace
from tests.conftest import AUTHOR, MakeClip, mistake, night, tree

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 12
STATE = {
    "speakers": "SELECT * FROM speakers ORDER BY speaker_id, broadcaster",
    "clips": "SELECT clip_id, speaker_id, number, reason, score, speaker_name FROM clips ORDER BY clip_id",
    "aliases": "SELECT broadcaster, alias, number, speaker_id FROM aliases ORDER BY 1, 2",
    "verdicts": "SELECT kind, speaker_id, subject_id FROM verdict WHERE to_operation IS NULL ORDER BY 1, 2, 3",
    "profiles": """
        SELECT speaker_id, audios, mean::text FROM profile WHERE model_id = deciding_model() ORDER BY speaker_id
    """,
    "constants": "SELECT model_id, stranger, stranger_variance FROM calibration WHERE to_operation IS NULL ORDER BY 1",
    "models": "SELECT model_id, role, deciding_model() FROM model_role WHERE to_operation IS NULL ORDER BY 1",
}


def state(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(text(query))] for name, query in STATE.items()}


class Person:
    """Somebody who does things to a registry without thinking."""

    def __init__(self, engine: Engine, indir: Path, make_clip: MakeClip, seed: int) -> None:
        self.engine, self.indir, self.make_clip = engine, indir, make_clip
        self.random = random.Random(seed)
        self.nights = 0

    def values(self, query: str) -> list[object]:
        with self.engine.connect() as connection:
            return list(connection.execute(text(query)).scalars())

    def speaker(self) -> str:
        return str(self.random.choice(self.values("SELECT broadcaster || '/' || number FROM speakers ORDER BY 1")))

    def clip(self) -> str:
        return str(self.random.choice(self.values("SELECT clip_id FROM clips ORDER BY 1")))

    def act(self) -> None:
        verbs: list[Callable[[], object]] = [
            self.ingest,
            lambda: merge(self.engine, [self.speaker(), self.speaker()], AUTHOR),
            lambda: split(self.engine, self.speaker(), [self.clip()], AUTHOR),
            lambda: move(self.engine, [self.clip(), self.clip()], self.random.choice([self.speaker(), "new"]), AUTHOR),
            lambda: rename(self.engine, self.speaker(), self.random.choice(["Ana", "Eva", ""]), AUTHOR),
            lambda: confirm(self.engine, [self.random.choice([self.speaker(), self.clip()])], AUTHOR),
            lambda: reject(self.engine, self.clip(), self.speaker(), AUTHOR),
            lambda: different(self.engine, self.speaker(), self.speaker(), AUTHOR),
            self.err,
            lambda: consolidate(self.engine, AUTHOR, full=self.random.random() < 0.5),
            lambda: reembed(self.engine, self.model(), AUTHOR),
            self.move_over,
            self.calibrate,
            lambda: withdraw(self.engine, [self.clip(), self.random.choice([self.clip(), self.group()])], AUTHOR),
            self.redate,
            self.recut,
            lambda: undo(self.engine, self.operation(), AUTHOR),
            lambda: undo(self.engine, self.operation(), AUTHOR, with_later=True),
        ]
        verb = self.ingest if not self.values("SELECT clip_id FROM clips") else self.random.choice(verbs)
        with suppress(CorrectionRefused, LabelsTooFew, UndoRefused):  # refused is fine: it says why and changes nothing
            verb()

    def err(self) -> None:
        """Do as clustering may: give clips of which no person said anything to some speaker, or to a new one."""
        names = self.values("""
            SELECT name FROM clips GROUP BY name
            HAVING bool_and(NOT EXISTS (SELECT FROM verdict v WHERE v.clip_id = clips.clip_id)) ORDER BY 1
        """)
        numbers = self.values("SELECT number FROM speakers GROUP BY number HAVING count(*) = 1 ORDER BY 1")
        if names:
            mistake(self.engine, [str(self.random.choice(names))], self.random.choice([None, *map(str, numbers)]))

    def group(self) -> str:
        names = "SELECT DISTINCT broadcaster || '_' || gender || to_char(date, 'YYYYMMDD') FROM clips ORDER BY 1"
        return str(self.random.choice(self.values(names)))

    def redate(self) -> None:
        """Withdraw a night and take its files in as another."""
        self.nights += 1
        group = self.group()
        withdraw(self.engine, [group], AUTHOR)
        shutil.copytree(self.indir / group, self.indir / night(self.nights, "F", group.partition("_")[0]))
        ingest(self.engine, [self.indir], AUTHOR)

    def recut(self) -> None:
        """Let a folder of the same night, with its clips named otherwise and one of them new, take a night's place."""
        self.nights += 1
        group = self.group()
        folder = self.indir.parent / f"cut-{self.nights}" / group
        shutil.copytree(self.indir / group, folder)
        for path in sorted(folder.iterdir()):
            path.rename(path.with_name(f"cut{self.nights}-{path.name}"))
        made = self.make_clip("new", 400 * self.random.randint(1, 5), "made-apart", seed=self.nights, seconds=0.3)
        for path in (made, made.with_suffix(".txt")):
            path.rename(folder / path.name)
        made.parent.rmdir()
        replace(self.engine, [folder], AUTHOR)

    def model(self) -> str:
        return self.random.choice(["campplus", "second", "second"])

    def move_over(self) -> None:
        model = self.model()
        if self.random.random() < 0.8:  # else the switch is refused, if clips came in since
            reembed(self.engine, model, AUTHOR)
        switch_model(self.engine, model, AUTHOR)

    def calibrate(self) -> None:
        """Label what is there as it is filed, but for some clips."""
        rows = self.values("SELECT clip_id || ',' || speaker_id FROM clips ORDER BY clip_id")
        path = self.indir.parent / "labels.csv"
        path.write_text("\n".join(["clip,speaker", *map(str, self.random.sample(rows, max(1, len(rows) - 1)))]))
        calibrate(self.engine, path, AUTHOR)

    def operation(self) -> int:
        return int(str(self.random.choice(self.values("SELECT operation_id FROM operation"))))

    def ingest(self) -> None:
        self.nights += 1
        broadcaster = self.random.choice(["andaiafm", "radiox"])
        for number in range(self.random.randint(1, 4)):
            pitch_hz = 400 * self.random.randint(1, 5)
            self.make_clip(f"c{number}", pitch_hz, night(self.nights, "F", broadcaster), seconds=0.3)
        ingest(self.engine, [self.indir], AUTHOR)


def live(person: Person, out: Path, steps: int) -> list[tuple[int, dict[str, bytes]]]:
    """Do things, the registry being sound after each, and keep what was exported after some of them."""
    kept = []
    for step in range(steps):
        person.act()
        assert check(person.engine) == []
        if step % 5 == 4:
            [operation_id] = person.values("SELECT max(operation_id) FROM operation")
            export(person.engine, out / "now")
            kept.append((int(str(operation_id)), visible(out / "now")))
    return kept


def visible(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(folder).items() if not path.startswith(".registry")}


@pytest.mark.usefixtures("two_models")
@pytest.mark.parametrize("seed", range(12))
def test_all_of_it_can_be_taken_back(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, seed: int
) -> None:
    take_back_a_life(Person(engine, indir, make_clip, seed), tmp_path, STEPS)


@pytest.mark.benchmark
@pytest.mark.usefixtures("two_models")
@pytest.mark.parametrize("seed", range(100, 200))
def test_all_of_a_long_life_can_be_taken_back(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, seed: int
) -> None:
    take_back_a_life(Person(engine, indir, make_clip, seed), tmp_path, 3 * STEPS)


def take_back_a_life(person: Person, out: Path, steps: int) -> None:
    engine = person.engine
    person.ingest()
    first, [before] = state(engine), person.values("SELECT max(operation_id) FROM operation")
    export(engine, out / "first")
    for operation_id, exported in live(person, out, steps):
        export(engine, out / f"as-of-{operation_id}", as_of=operation_id)
        assert visible(out / f"as-of-{operation_id}") == exported
    later = person.values(f"SELECT operation_id FROM operation WHERE operation_id > {before} ORDER BY 1 DESC")
    for latest in later:
        undo(engine, int(str(latest)), AUTHOR)
        assert check(engine) == []
    export(engine, out / "last")

    assert state(engine) == first
    assert visible(out / "last") == visible(out / "first")
