"""Feed a reader what an attacker could write: short in every run of the tests, much longer with -m fuzzing -s."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Fed = TypeVar("Fed")
Edit = tuple[int, int, bytes]  # where, how much goes, what comes
EDITS = st.lists(
    st.tuples(st.integers(0, 1 << 16), st.integers(0, 64), st.binary(max_size=64)), min_size=1, max_size=12
)


def amounts(short: int, long: int) -> pytest.MarkDecorator:
    """Run a test with few inputs, and on demand with many."""
    values = [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.fuzzing)]
    return pytest.mark.parametrize("amount", values)


def feed(amount: int, inputs: st.SearchStrategy[Fed], outcome: Callable[[Fed], str]) -> None:
    """Feed so many inputs, and print how often each outcome came; what raises fails the test with its input.

    Args:
        amount: How many.
        inputs: What they are.
        outcome: Reads one and says in a word what came of it.
    """
    came: Counter[str] = Counter()

    @settings(max_examples=amount, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(inputs)
    def one(fed: Fed) -> None:
        came[outcome(fed)] += 1

    one()
    listed = ", ".join(f"{word} {count}" for word, count in came.most_common())
    print(f"\n{came.total()} inputs: {listed}")  # noqa: T201 - the figures


def damaged(contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Take whole contents, and change, remove and put in bytes anywhere."""
    return st.builds(_edited, contents, EDITS)


def _edited(content: bytes, edits: list[Edit]) -> bytes:
    for at, less, more in edits:
        place = at % (len(content) + 1)
        content = content[:place] + more + content[place + less :]
    return content
