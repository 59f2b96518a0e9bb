"""aliases.tsv at the top of the tree: which retired number leads to which."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from registry.core.export_plan import Alias, label
from registry.core.records import Rejected
from registry.core.rejections import Fault
from registry.export import disk
from registry.export.manifest import FOLDER, Written, broadcasters_of, latest_night
from registry.export.times import moment_of

NAME = "aliases.tsv"
HEADER = "broadcaster\talias\tnumber\n"  # a file that begins otherwise is somebody else's


def write_aliases(outdir: Path, aliases: Iterable[Alias], in_tree: Iterable[Written]) -> Rejected | None:
    """Make the file say just that, or be gone if there are none; give what is in the way, if anything is.

    Only broadcasters that the tree has nights of are in it. It is dated on the latest of those.
    """
    target, in_tree = outdir / NAME, list(in_tree)
    there = broadcasters_of(in_tree)
    wanted_aliases = sorted(alias for alias in aliases if alias.broadcaster in there)
    rows = [f"{a.broadcaster}\t{label(a.gender, a.alias)}\t{label(a.gender, a.number)}\n" for a in wanted_aliases]
    wanted = (HEADER + "".join(rows)).encode() if rows else None
    try:
        present = disk.read(target)
    except FileNotFoundError:
        present = None
    except disk.LineTooLong as error:
        return Fault.UNREADABLE_ALIASES.of(target, cause=error)
    except OSError as error:
        return Fault.UNREADABLE_ALIASES.of(target, cause=error.strerror)
    if wanted is None:
        if present is not None and _is_ours(present):
            disk.remove(target)
    elif present is not None and not _is_ours(present):
        return Fault.FOREIGN_ALIASES.of(target)
    else:
        time_s = moment_of(latest_night(in_tree), hashlib.sha256(wanted).hexdigest())
        if present != wanted or int(target.lstat().st_mtime) != time_s:
            disk.replace_durably(target, wanted, time_s, disk.new_place(outdir / FOLDER))
    return None


def _is_ours(content: bytes) -> bool:
    """Know the file by its beginning; one that the power left empty is nobody else's either."""
    return content.startswith(HEADER.encode()) or not content.strip(b"\0")
