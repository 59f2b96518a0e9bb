"""The figures of who is who by every sound, as the documents tell them: what a benchmark is held to."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.benchmarks.sounds import MIXES, Case

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (ROOT / "README.md", Path(__file__).with_name("README.md"))
SOUNDS = {"gsm": "GSM", "opus": "Opus"}  # as they are written; others as they are called
Told = dict[str, float]  # figures by the heads of their columns


def told(case: Case) -> Told:
    """Give what the documents tell of a case; nothing where they are silent."""
    return _told().get(_key(case), {})


def _key(case: Case) -> tuple[str, ...]:
    """Name a case as its row in the documents is named."""
    if case.is_mixed:
        return "by telephone", case.pool, MIXES[case.which]
    if case.per_night:
        return "set or pool", case.pool, str(case.per_night)
    if len(case.corpora) > 1:
        return "pool", case.pool
    return "heard", case.pool, SOUNDS.get(case.sound, case.heard)


@cache
def _told() -> dict[tuple[str, ...], Told]:
    found: dict[tuple[str, ...], Told] = {}
    for head, rows in _tables():
        for row in rows:
            figures = dict(zip(head, row, strict=True))
            if head[0] == "set" and head[1] in ("heard", "by telephone"):
                found[head[1], row[0], row[1]] = _numbers(figures)
            elif head[0] == "pool":
                found["pool", row[0]] = _numbers(figures)
            elif head[0] == "set or pool":
                for at, clips in enumerate(("12", "36")):
                    halves = {name: value.split(" / ")[at] for name, value in figures.items() if " / " in value}
                    found["set or pool", row[0], clips] = _numbers(halves)
    return found


def _numbers(figures: dict[str, str]) -> Told:
    return {name: float(value) for name, value in figures.items() if re.fullmatch(r"[0-9.]+", value)}


def _tables() -> Iterator[tuple[list[str], list[list[str]]]]:
    """Give the tables of the documents: the head, and the rows."""
    for document in filter(Path.exists, DOCUMENTS):
        for table in re.findall(r"(?:^\|.*\|\n)+", document.read_text(encoding="utf-8"), re.MULTILINE):
            head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
            yield head, rows
