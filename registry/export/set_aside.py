"""Files that left the tree and have no other copy: kept inside it, where a person finds them and an export, too.

OUTDIR/.registry/set-aside/andaiafm20201105/andaiafm20201105F0001_000003.0123456789abcdef.wav is what was exported
under that name; the digits begin the SHA-256 of the sound, also in the name of its transcript.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from sqlalchemy import Connection

from registry.core.export_losses import Held
from registry.core.export_plan import folder_of, is_sound, stem
from registry.database.store import copies
from registry.export import disk, fates, files
from registry.export.manifest import FOLDER, Written

ASIDE = "set-aside"
NAME = re.compile(r"(?P<stem>.+)\.(?P<digits>[0-9a-f]{16})(-[0-9]+)?\.(?P<suffix>[a-z0-9]+)", re.DOTALL)
DIGITS = 16


def keep(outdir: Path, to_keep: Iterable[Held], ours: Iterable[Written]) -> dict[Held, str]:
    """Give files a place in the set-aside before they lose that in the tree; give the places, below the top."""
    regular = [held for held in to_keep if files.is_regular(outdir / held.path)]
    sounds = {stem(entry.path): entry.sha256 for entry in ours if is_sound(entry.path)} if regular else {}
    sounds |= {stem(held.path): held.sha256 for held in regular if is_sound(held.path)}
    return {held: place(outdir, outdir / held.path, held, sounds.get(stem(held.path))) for held in regular}


def place(outdir: Path, file: Path, held: Held, sound_sha256: str | None = None) -> str:
    """Give one file a place in the set-aside, named after where it was in the tree; give it, below the top."""
    free = _free_place(outdir, held, (sound_sha256 or held.sha256)[:DIGITS])
    disk.give_second_place(file, free)
    return str(free.relative_to(outdir))


def _free_place(outdir: Path, held: Held, digits: str) -> Path:
    folder, (name, _, suffix) = _folder(outdir) / folder_of(held.path), Path(held.path).name.rpartition(".")
    free, count = folder / f"{name}.{digits}.{suffix}", 1
    while free.exists() and not files.holds(free, held.sha256):
        count += 1
        free = folder / f"{name}.{digits}-{count}.{suffix}"
    return free


def _folder(outdir: Path) -> Path:
    return outdir / FOLDER / ASIDE


def found(outdir: Path) -> dict[Path, re.Match[str]]:
    """List what is set aside, with its name taken apart."""
    paths = sorted(_folder(outdir).glob("*/*"))
    return {path: match for path in paths if (match := NAME.fullmatch(path.name)) and files.is_regular(path)}


def having(outdir: Path, hashes: Collection[str]) -> dict[str, list[Path]]:
    """Find what is set aside by what it should be (SHA-256, hex); transcripts are read for it."""
    beginnings, places = {digest[:DIGITS]: digest for digest in hashes}, dict[str, list[Path]]()
    for path, match in found(outdir).items():
        text = match["suffix"] == "txt"
        digest = files.sha256_of(path) if text else beginnings.get(match["digits"])
        if digest is not None and digest in hashes:
            places.setdefault(digest, []).append(path)
    return places


def tidy(connection: Connection, outdir: Path, in_tree: Collection[str]) -> None:
    """Remove what the tree has again (SHA-256, hex), and what was forgotten."""
    there = found(outdir)
    if not there:
        return
    gone = _forgotten(connection, there)
    beginnings = {digest[:DIGITS]: digest for digest in in_tree}
    for path, match in there.items():
        digest = files.sha256_of(path) if match["suffix"] == "txt" else beginnings.get(match["digits"])
        is_again = digest is not None and digest in in_tree and files.holds(path, digest)
        if path in gone or is_again:
            disk.remove(path)
            disk.remove_if_empty(path.parent)
    disk.remove_if_empty(_folder(outdir))


def _forgotten(connection: Connection, there: Mapping[Path, re.Match[str]]) -> set[Path]:
    """Find the sounds that the registry has no row of and whose hash was forgotten, and the transcripts of such."""
    if not copies.has_forgotten(connection):
        return set()
    known = copies.known_beginnings(connection, {match["digits"] for match in there.values()})
    unknown = {path: match for path, match in there.items() if match["digits"] not in known}
    sounds = {path: fates.sound_of(path) for path, match in unknown.items() if match["suffix"] != "txt"}
    forgotten = copies.forgotten_sounds(connection, {sound for sound in sounds.values() if sound})
    staying = {unknown[path]["digits"] for path, sound in sounds.items() if sound not in forgotten}
    return {path for path, match in unknown.items() if match["digits"] not in staying}
