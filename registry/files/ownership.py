"""Whose a file is, and whether others may write to it."""

import os
import pwd
import stat

WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH  # of a file's mode: by its group, or by all the world


def user_name(uid: int) -> str:
    """Name a user, as sudo takes it; by number if it has no name on this machine."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def may_lead(link_owner: int, folder_owner: int) -> bool:
    """Tell whether a link to a folder is followed: if we made it, or root, or the owner of the folder it leads to.

    The rule is the kernel's, protected_symlinks: else whoever may write in an input folder had their clips read from
    folders that only we can read.
    """
    return link_owner in (os.geteuid(), 0, folder_owner)
