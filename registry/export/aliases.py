"""aliases.tsv at the top of the tree: which retired number leads to which."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from registry.core.export_plan import Alias, label
from registry.core.records import Rejected
from registry.export.files import partial_file

NAME = "aliases.tsv"
HEADER = "broadcaster\talias\tnumber\n"  # a file that begins otherwise is somebody else's


def write_aliases(outdir: Path, aliases: Iterable[Alias]) -> Rejected | None:
    """Make the file say just that, or be gone if there are none; give what is in the way, if anything is."""
    target = outdir / NAME
    rows = [f"{a.broadcaster}\t{label(a.gender, a.alias)}\t{label(a.gender, a.number)}\n" for a in sorted(aliases)]
    wanted = (HEADER + "".join(rows)).encode() if rows else None
    try:
        present = target.read_bytes()
    except FileNotFoundError:
        present = None
    except OSError as error:
        return Rejected(str(target), "foreign-file", f"{error.strerror}; move it, then export again")
    is_ours = present is not None and present.startswith(HEADER.encode())
    if wanted is None:
        if is_ours:
            target.unlink()
    elif present is not None and not is_ours:
        return Rejected(str(target), "foreign-file", "somebody else's file is in the way and stays; move it")
    elif present != wanted:
        _write(outdir, wanted)
    return None


def _write(outdir: Path, content: bytes) -> None:
    partial = partial_file(outdir)
    partial.write_bytes(content)
    time = int(hashlib.sha256(content).hexdigest()[:7], 16)  # as with all of the tree: from the content, not the clock
    os.utime(partial, (time, time))
    partial.replace(outdir / NAME)
