"""An operation in a few words."""

import pytest

from registry.core.journal_words import in_short


@pytest.mark.parametrize(
    ("kind", "summary", "words"),
    [
        (
            "ingest",
            {"group": "a_F20201105", "clips": 12, "speakers_new": 3, "speakers_matched": 0, "workers": 2},
            "a_F20201105: 12 clips, 3 new speakers",
        ),
        ("ingest", {"group": "a_F20201105", "clips": 1, "speakers_new": 1}, "a_F20201105: 1 clip, 1 new speaker"),
        ("ingest", {"group": "a_F20201105", "transcripts_replaced": 2}, "a_F20201105: 2 new transcripts"),
        (
            "replace",
            {"group": "a_F20201106", "clips": 2, "replaced": 2, "instead_of": "a_F20201105"},
            "a_F20201106 instead of a_F20201105: 2 clips, 2 replaced",
        ),
        ("merge", {"merged": ["a/F0001", "a/F0002"]}, "a/F0001, a/F0002"),
        ("move", {"clips": 3, "to": "a/F0002"}, "3 clips to a/F0002"),
        ("reject", {"clips": 1, "not": "a/F0002"}, "1 clip not a/F0002"),
        ("split", {"split": "a/F0002", "clips": 4}, "a/F0002: 4 clips"),
        ("withdraw", {"clips": 2, "groups": ["a_F20201105"]}, "2 clips of a_F20201105"),
        ("undo", {"undone": 5, "kind": "merge"}, "operation 5"),
        ("consolidate", {"joined": 0, "parted": 1, "to_review": 2}, "1 parted, 2 to review"),
        ("switch-model", {"from": "campplus", "to": "second"}, "from campplus to second"),
        ("calibrate", {"model": "campplus", "clips": 120, "speakers": 14}, "campplus: 120 clips, 14 speakers"),
        ("forget", {"retired": ["a/F0001"], "clips": 3, "names": 1}, "a/F0001: 3 clips"),
        ("consolidate", {"to review": 2}, ""),
        ("confirm", {}, ""),
    ],
)
def test_what_an_operation_was_about(kind: str, summary: dict[str, object], words: str) -> None:
    assert in_short(kind, summary) == words
