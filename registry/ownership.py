"""Whose a file is, and whether others may write to it."""

import pwd
import stat

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH  # of a file's mode: by its group, or by all the world


def user_name(uid: int) -> str:
    """Name a user, as sudo takes it; by number if it has no name on this machine."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"
