"""A CSV of labels as spreadsheets and scripts write them, and what contradicts itself."""

from pathlib import Path

import pytest

from registry.errors import LabelsUnreadable
from registry.evaluation.labels import Label, read_labels, true_speakers


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


@pytest.mark.parametrize(
    "content",
    [
        b"clip,speaker\n12,Ana\ng/b,B\xc3\xa9a\n",
        b"clip,speaker\r\n12,Ana\r\ng/b,B\xc3\xa9a",
        b"\xef\xbb\xbfclip;speaker\r\n12;Ana\r\ng/b;B\xc3\xa9a\r\n",
        b"speaker\tseconds\tclip\nAna\t1,5\t12\nB\xc3\xa9a\t2,5\tg/b\n",
        b'"Clip", "Speaker" \n"12", Ana\n"g/b",B\xc3\xa9a ,more,than,needed\n',
    ],
    ids=["commas", "line ends of DOS", "as Excel writes it", "tabs and more columns", "quoted and spaced"],
)
def test_a_table_of_clips_and_speakers(labels: Path, content: bytes) -> None:
    labels.write_bytes(content)

    assert [(label.clip, label.speaker) for label in read_labels(labels)] == [("12", "Ana"), ("g/b", "Béa")]


def test_rows_without_a_speaker_say_nothing(labels: Path) -> None:
    labels.write_text("clip,speaker\n1,\n\n2,Ana\n3\n")

    assert read_labels(labels) == [Label(4, "2", "Ana")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "does not name the columns"),
        (b"clip,who\n1,Ana\n", "does not name the columns"),
        (b"1,Ana\n2,Ana\n", "does not name the columns"),
        (b"clip,speaker,speaker\n1,Ana,Bea\n", "does not name the columns"),
        (b"a" * 200_000, "field larger than field limit"),
        (b"clip,speaker\n", "no row has a speaker"),
        (b"clip,speaker\n1,B\xe9a\n", "not UTF-8"),
        ("clip,speaker\n1,Ana\n".encode("utf-16"), "not UTF-8"),
        (b'clip,speaker\n1,"Ana\n', "line 2: unexpected end of data"),
        (b"clip,speaker\n1," + b"a" * 200_000, "line 2: field larger than field limit"),
    ],
)
def test_what_is_no_such_table_is_refused(labels: Path, content: bytes, words: str) -> None:
    labels.write_bytes(content)

    with pytest.raises(LabelsUnreadable, match=words):
        read_labels(labels)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelsUnreadable, match="No such file"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(LabelsUnreadable, match="Is a directory"):
        read_labels(tmp_path)


def test_a_clip_said_to_be_of_two_speakers_is_left_out_and_both_rows_are_named() -> None:
    rows = [Label(2, "1", "Ana"), Label(3, "g/a", "Bea"), Label(4, "2", "Ana"), Label(5, "2", "Ana")]
    truth, rejected = true_speakers(rows, {"1": [1], "g/a": [1], "2": [2]}, {})

    assert truth == {2: "Ana"}
    assert [(one.path, one.reason, one.message) for one in rejected] == [
        ("1", "contradicted", "line 2: 'Ana' here, 'Bea' (line 3) elsewhere; keep one"),
        ("g/a", "contradicted", "line 3: 'Bea' here, 'Ana' (line 2) elsewhere; keep one"),
    ]


def test_an_audio_in_several_clips_labels_all_of_them() -> None:
    truth, rejected = true_speakers([Label(2, "a.wav", "Ana")], {"a.wav": [1, 2]}, {})

    assert (truth, rejected) == ({1: "Ana", 2: "Ana"}, [])


def test_each_row_that_names_no_clip_is_named() -> None:
    rows = [Label(2, "9", "Ana"), Label(3, "9", "Bea")]
    truth, rejected = true_speakers(rows, {}, {"9": "the registry has no such clip"})

    assert truth == {}
    assert [one.message for one in rejected] == [f"line {line}: the registry has no such clip" for line in (2, 3)]


def test_a_device_is_not_read_to_an_end_that_it_may_not_have() -> None:
    with pytest.raises(LabelsUnreadable, match="it is a device"):
        read_labels(Path("/dev/zero"))
