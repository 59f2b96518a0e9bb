"""Whatever lies in an input folder, an exported tree or a saved file is read, or refused by a word; nothing raises."""

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import soundfile as sf
from google.protobuf.message import DecodeError
from hypothesis import strategies as st
from onnx import ModelProto
from sqlalchemy import Connection, Engine

from registry.core.names import meant, one_form
from registry.core.records import Gender, Rejected
from registry.core.rejections import REASONS
from registry.corrections.addressed import find_clips, find_labelled
from registry.corrections.saved_plans import load
from registry.database.store import addresses
from registry.errors import LabelsUnreadable, OutputRefused, PlanUnreadable, RegistryError
from registry.evaluation.labels import read_labels
from registry.export.manifest import FOLDER, read_record
from registry.input.audio import read_audio
from registry.input.scan import scan
from registry.input.transcript import text_of
from registry.speech.runtimes.onnx_tensors import insist_on_own_weights
from tests.fuzzing.feeding import amounts, damaged, feed
from tests.onnx_graphs import PLACES, elsewhere, inside

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of what fails
RATE = 16_000
SECOND = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE // 2) / RATE)).astype(np.float32)


def written(layout: str, subtype: str | None, channels: int = 1) -> bytes:
    file = io.BytesIO()
    sf.write(file, np.stack([SECOND] * channels, axis=1), RATE, format=layout, subtype=subtype)
    return file.getvalue()


STREAMED = written("WAV", "PCM_16").replace((RATE).to_bytes(4, "little"), b"\xff" * 4)
WAVS = [
    *(written("WAV", subtype, channels) for subtype in ("PCM_16", "PCM_24", "FLOAT", "DOUBLE") for channels in (1, 2)),
    *(written(layout, "PCM_16") for layout in ("WAVEX", "RF64")),
    written("RF64", "PCM_16").replace(b"RF64", b"BW64"),
    STREAMED,
]
OTHERS = {"flac": written("FLAC", "PCM_16"), "ogg": written("OGG", "VORBIS"), "mp3": written("MP3", None)}
HEADS = st.sampled_from(
    WAVS
).flatmap(  # most damage is where the sizes are
    lambda wav: damaged(st.just(wav[:80])).map(lambda head: head + wav[80:])
)


def heard(path: Path, content: bytes, *, is_settled: bool) -> str:
    path.write_bytes(content)
    audio = read_audio(path, is_settled=is_settled)
    if isinstance(audio, Rejected):
        assert audio.reason in REASONS
        assert audio.path == str(path)
        return audio.reason
    assert np.isfinite(audio.samples).all()
    assert audio.samples.ndim == 1
    return "heard"


@amounts(300, 12_000)
def test_any_wav_is_heard_or_rejected(tmp_path: Path, amount: int) -> None:
    inputs = st.tuples(damaged(st.sampled_from(WAVS)) | HEADS | st.binary(max_size=2000), st.booleans())

    feed(amount, inputs, lambda fed: heard(tmp_path / "a.wav", fed[0], is_settled=fed[1]))


@amounts(100, 5_000)
@pytest.mark.parametrize("kind", OTHERS)
def test_any_other_sound_is_heard_or_rejected_and_no_library_prints(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], kind: str, amount: int
) -> None:
    feed(amount, damaged(st.just(OTHERS[kind])), lambda fed: heard(tmp_path / f"a.{kind}", fed, is_settled=True))

    printed = capfd.readouterr()
    assert printed.err == ""
    print(printed.out)  # noqa: T201 - the figures


NAMES = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=60).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 250
)
GROUPS = st.builds(
    "{}_{}{}".format,
    NAMES.filter(lambda name: len(name) < 40),
    st.sampled_from("FMfmX"),
    st.dates().map("{:%Y%m%d}".format) | st.integers(0, 99_999_999).map("{:08}".format),
)


def found(folder: Path, named: tuple[str, list[str]]) -> str:
    group = folder / f"{len(list(folder.iterdir()))}" / named[0]
    group.mkdir(parents=True)
    for name in named[1]:
        (group / name).write_bytes(b"x")
    here = scan([group.parent])
    for one in here.groups:
        assert one.gender in get_args(Gender)
        assert one_form(one.broadcaster) == one.broadcaster
        str(one).encode()
    assert here.groups or here.rejected
    return "a group" if here.groups else here.rejected[0].reason


@amounts(100, 5_000)
def test_any_name_of_a_group_and_of_its_files_is_taken_or_rejected(tmp_path: Path, amount: int) -> None:
    files = st.lists(
        st.builds(
            "{}.{}".format,
            NAMES.filter(lambda name: len(name) < 50),
            st.sampled_from(["wav", "txt", "TXT", "mp3", "doc"]),
        ),
        max_size=4,
    )

    feed(amount, st.tuples(GROUPS | NAMES, files), lambda fed: found(tmp_path, fed))


@amounts(200, 20_000)
def test_any_name_has_one_form_and_at_most_one_meaning(amount: int) -> None:
    def outcome(name: str) -> str:
        assert one_form(one_form(name)) == one_form(name)
        mended = meant(name)
        assert mended is None or meant(mended) is None
        return "as it is" if mended is None else "garbled"

    garbled = st.text(max_size=30).map(lambda name: name.encode(errors="replace").decode("latin-1"))
    feed(amount, st.text(max_size=30) | garbled, outcome)


@amounts(200, 20_000)
def test_any_transcript_is_text_that_the_database_takes(amount: int) -> None:
    def outcome(content: bytes) -> str:
        text = text_of(content)
        text.encode()
        assert "\0" not in text
        return "text" if text else "empty"

    encoded = st.builds(
        lambda text, encoding: text.encode(encoding, "replace"),
        st.text(),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"]),
    )
    feed(amount, st.binary() | encoded | damaged(encoded), outcome)


PLACE = "x20201105/x20201105-F0001/x20201105F0001_000000.wav"
MANIFEST = "\n".join(
    [json.dumps({"registry": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "as_of": None}), json.dumps([PLACE, "0" * 64])]
).encode()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NO_EFFECTS: dict[str, list[object]] = {"clips": [], "numbers": [], "names": [], "verdicts": [], "models": []}
DEEP = st.integers(1, 10_000).map(lambda depth: b"[" * depth)


@amounts(200, 20_000)
def test_any_manifest_is_read_or_refused_and_names_no_file_outside(tmp_path: Path, amount: int) -> None:
    (tmp_path / FOLDER).mkdir()

    def outcome(content: bytes) -> str:
        (tmp_path / FOLDER / "manifest.jsonl").write_bytes(content)
        try:
            record = read_record(tmp_path)
        except OutputRefused:
            return "refused"
        assert not any(".." in entry.path.split("/") or entry.path.startswith("/") for entry in record.entries)
        return "read"

    lines = st.lists(JSON.map(json.dumps), max_size=4).map(lambda rows: "\n".join(rows).encode())
    feed(amount, damaged(st.just(MANIFEST)) | lines | DEEP | st.binary(), outcome)


@amounts(200, 20_000)
def test_any_labels_are_read_or_refused(tmp_path: Path, amount: int) -> None:
    def outcome(content: bytes) -> str:
        (tmp_path / "labels.csv").write_bytes(content)
        try:
            return "read" if read_labels(tmp_path / "labels.csv") else "none"
        except LabelsUnreadable:
            return "refused"

    feed(amount, damaged(st.just(b"clip,speaker\nandaiafm_F20201105/a,Maria\n1234,Ana\n")) | st.binary(), outcome)


@amounts(200, 20_000)
def test_any_plan_is_read_as_one_or_refused_by_a_message(tmp_path: Path, amount: int) -> None:
    task = {"one": "F0001", "others": ["F0002"]}
    whole = {"version": 2, "command": "merge", "task": task, "based_on": 1, "effects": NO_EFFECTS}

    def outcome(content: bytes) -> str:
        (tmp_path / "plan.json").write_bytes(content)
        try:
            plan = load(tmp_path / "plan.json")
        except PlanUnreadable:
            return "refused"
        assert all(isinstance(word, str) and "\0" not in word for word in plan.words())
        return "read"

    changed = st.builds(
        lambda key, value: json.dumps(whole | {key: value}).encode(), st.sampled_from(sorted(whole)), JSON
    )
    of_task = st.dictionaries(st.sampled_from(sorted(task)), JSON, min_size=1).map(
        lambda other: json.dumps(whole | {"task": task | other}).encode()
    )
    feed(amount, changed | of_task | damaged(st.just(json.dumps(whole).encode())) | DEEP | st.binary(), outcome)


def names_a_file(message: Any) -> bool:
    """Tell whether a tensor anywhere in a message lies outside, by Protocol Buffers' own reader."""
    if message.DESCRIPTOR.name == "TensorProto" and (message.external_data or message.data_location):
        return True
    fields = [value for field, value in message.ListFields() if field.message_type]
    inner = [one for value in fields for one in ([value] if hasattr(value, "ListFields") else value)]
    return any(names_a_file(one) for one in inner)


@amounts(1_000, 40_000)
def test_no_onnx_file_is_believed_that_names_another(amount: int) -> None:
    models = [place(weights).SerializeToString() for place in PLACES for weights in (inside(), elsewhere("secret"))]

    def outcome(content: bytes) -> str:
        try:
            insist_on_own_weights(content)
        except ValueError as error:
            return "names another" if "other files" in str(error) else "refused"
        with suppress(DecodeError):
            assert not names_a_file(ModelProto.FromString(content))
        return "believed"

    feed(amount, damaged(st.sampled_from(models)) | st.binary(), outcome)


LETTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])  # a command line has no others
ADDRESSES = (
    st.text(LETTERS, max_size=40)
    | st.from_regex(r"([a-z é%\\]{0,10}[/ ])?[FMfm]\d{1,30}", fullmatch=True)
    | st.builds(lambda gender, digits: gender + "7" * digits, st.sampled_from(["", "F"]), st.integers(1, 9000))
    | st.builds("{}/{}".format, GROUPS, st.text(LETTERS, max_size=20))
)


def called(connection: Connection, address: str) -> str:
    addresses.is_speaker(address)
    for find in (
        lambda: addresses.find_speaker(connection, address),
        lambda: find_clips(connection, [address]),
        lambda: addresses.named_group(address),
    ):
        with suppress(RegistryError):
            find()
    _, faults = find_labelled(connection, [address])
    return faults.get(address, "found").partition(",")[0]


@amounts(200, 2_000)
def test_any_address_is_of_nobody_by_a_message(engine: Engine, amount: int) -> None:
    with engine.connect() as connection:
        feed(amount, ADDRESSES, lambda address: called(connection, address))
