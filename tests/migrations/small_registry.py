"""What the registries that are kept as test data are made of, and what is known of them."""

import json
import os
import wave
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

RATE = 16_000
FOLDER = "@FOLDER@"  # stands in the test data for the folder that holds the input
MODIFIED_NS = 1_600_000_000_000_000_000  # when all files of the input were written
# Group -> its clips; a clip is called after the voice in it. The first clip of radio's first night is andaiafm's too.
GROUPS = {
    "night5/andaiafm_F20201105": ("a-1", "a-2", "b-1", "b-2", "c-1", "z-1"),
    "night5/andaiafm_M20201105": ("m-1", "m-2", "n-1"),
    "night5/radio_F20201105": ("a-1",),
    "night6/andaiafm_F20201106": ("a-1", "b-1", "c-1", "c-2", "e-1"),
    "night6/andaiafm_M20201106": ("m-1", "n-1", "n-2"),
    "night6/radio_F20201106": ("c-1",),
}
PITCH_HZ = {"a": 400, "b": 1200, "c": 2600, "e": 2000, "z": 3400, "m": 700, "n": 1900}
FORGOTTEN = "z-1"
BY_TELEPHONE = "n-2"  # at 8 kHz
RETYPED = "night5/andaiafm_F20201105/a-2.txt"  # said something else when it was taken in first
QUESTIONS = {
    "clips": "SELECT * FROM clips ORDER BY clip_id",
    "speakers": "SELECT * FROM speakers ORDER BY broadcaster, number",
    "assignments": "SELECT assignment_id, clip_id, speaker_id, reason, score, from_operation, to_operation"
    " FROM assignment ORDER BY assignment_id",
    "operations": "SELECT operation_id, kind, user_name, command FROM operation ORDER BY operation_id",
}


def write_input(folder: Path) -> None:
    """Write both nights into a folder, the same bytes on any machine."""
    for group, names in GROUPS.items():
        (folder / group).mkdir(parents=True)
        for hz_higher, name in enumerate(names, start=10 * group.startswith("night6")):
            _write_wav(folder / group / f"{name}.wav", PITCH_HZ[name[0]] + hz_higher)
            write_transcript(folder / group / f"{name}.txt", f"olá, aqui {name}")


def _write_wav(path: Path, pitch_hz: int) -> None:
    rate = RATE // 2 if path.stem == BY_TELEPHONE else RATE
    wave_form = 10_000 * np.sin(2 * np.pi * pitch_hz * np.arange(3 * rate) / rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.round(wave_form).astype("<i2").tobytes())
    os.utime(path, ns=(MODIFIED_NS, MODIFIED_NS))


def write_transcript(path: Path, words: str) -> None:
    """Write a transcript as old as all files of the input."""
    path.write_text(f"{words}\n", encoding="utf-8")
    os.utime(path, ns=(MODIFIED_NS, MODIFIED_NS))


def answers(connection: psycopg.Connection[Any], folder: Path) -> dict[str, list[dict[str, object]]]:
    """Give the rows that answer each question, as JSON holds them."""
    found = {question: _rows(connection, query) for question, query in QUESTIONS.items()}
    return dict(json.loads(_as_text(found, folder)))


def _rows(connection: psycopg.Connection[Any], query: str) -> list[dict[str, object]]:
    cursor = connection.execute(query.encode())
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _as_text(rows: object, folder: Path) -> str:
    return json.dumps(rows, default=str, ensure_ascii=False).replace(str(folder), FOLDER)


def listing(tree: Path) -> dict[str, str]:
    """Give the hash of every exported file."""
    files = sorted(path for path in tree.rglob("*") if path.suffix in {".wav", ".txt"})
    return {str(path.relative_to(tree)): sha256(path.read_bytes()).hexdigest() for path in files}
