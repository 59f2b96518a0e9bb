"""Modification times of what an export writes: from nights and contents, never from the clock.

The same state gives the same times, so a look at size and time tells whether a file is right, and tools such as
rsync and make see a file whose content changed under an unchanged name.
"""

import datetime as dt
from functools import cache

DAY_S = 86_400
LATEST = 2**31 - DAY_S - 1  # seconds since 1970: the last full day of file systems that count in 32 bits


def moment_of(night: dt.date | None, digest: str) -> int:
    """Give a moment of a night that depends on a content, seconds since 1970; without a night, one of 1970.

    Args:
        night: The day.
        digest: A hash of the content, hex.
    """
    # FAT counts in steps of two seconds.
    return (0 if night is None else _day_s(night)) + int(digest[:8], 16) % (DAY_S // 2) * 2


@cache  # a tree has many files of one night
def _day_s(night: dt.date) -> int:
    begin = dt.datetime.combine(night, dt.time(), tzinfo=dt.UTC)
    return min(max(int(begin.timestamp()), 0), LATEST)
