"""Numbers are given once, in the order in which voices are heard."""

import pytest

from registry.core.numbering import give_numbers


@pytest.mark.parametrize(
    ("heard", "held", "last", "given"),
    [
        ([], {}, 0, {}),
        (["ana", "eva"], {}, 0, {"ana": 1, "eva": 2}),
        (["eva", "ana", "eva"], {}, 0, {"eva": 1, "ana": 2}),
        (["ana", "eva"], {"ana": 1}, 1, {"eva": 2}),
        (["eva"], {"ana": 1}, 7, {"eva": 8}),
    ],
)
def test_new_speakers_get_the_next_numbers(
    heard: list[str], held: dict[str, int], last: int, given: dict[str, int]
) -> None:
    assert give_numbers(heard, held, last) == given
