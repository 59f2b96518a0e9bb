"""Find out what the registry knows of files that leave the tree: is there another copy, were they forgotten?"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine

from registry.core.export_losses import Fate, Held, with_mates
from registry.core.export_plan import Source, is_sound
from registry.core.records import Rejected
from registry.database.store import copies
from registry.export import files
from registry.input.remote import in_order, is_remote, readers
from registry.input.sources import read_anywhere


def fates_of(
    engine: Engine, outdir: Path, held: Sequence[Held], lying_at: Mapping[Held, Path] | None = None
) -> dict[Held, Fate]:
    """Tell of every file that leaves the tree what becomes of it.

    Args:
        engine: The registry's database.
        outdir: The folder of the tree.
        held: The files.
        lying_at: File -> where its bytes lie now; a file that is not named lies in its place in the tree.
    """
    if not held:
        return {}
    with engine.connect() as connection:
        known = _known(connection, outdir, held)
        unknown = [one for one in held if one not in known]
        places = {one: (lying_at or {}).get(one, outdir / one.path) for one in unknown}
        return with_mates(dict.fromkeys(unknown, Fate.UNKNOWN) | known | _by_sound(connection, places))


def _known(connection: Connection, outdir: Path, held: Sequence[Held]) -> dict[Held, Fate]:
    hashes = {one.sha256 for one in held}
    sources = copies.sources(connection, hashes)
    in_database = copies.transcripts(connection, {one.sha256 for one in held if not is_sound(one.path)})
    asked = [(digest, source) for digest in hashes - in_database.keys() for source in sources.get(digest, ())]
    real = os.path.realpath(outdir)
    there = in_order(lambda one: _is_another(one[1], real), asked, readers(source.path for _, source in asked))
    elsewhere = {digest for (digest, _), is_there in zip(asked, there, strict=True) if is_there} | in_database.keys()
    return {
        one: Fate.ELSEWHERE if one.sha256 in elsewhere else Fate.LAST
        for one in held
        if one.sha256 in elsewhere or one.sha256 in sources
    }


def _is_another(source: Source, real_outdir: str) -> bool:
    """Tell whether a source is there and is no link into the tree itself."""
    inside = not is_remote(source.path) and os.path.realpath(source.path).startswith(real_outdir + os.sep)
    return not inside and files.is_available(source)


def _by_sound(connection: Connection, unknown: Mapping[Held, Path]) -> dict[Held, Fate]:
    """Listen to the files of which the registry has no row: a forgotten sound is known by its hash."""
    sounds = {one: sound for one, path in unknown.items() if is_sound(one.path) and (sound := sound_of(path))}
    forgotten = copies.forgotten_sounds(connection, sounds.values())
    there = copies.sounds_there(connection, sounds.values())
    return {one: Fate.FORGOTTEN for one, sound in sounds.items() if sound in forgotten} | {
        one: Fate.SAME_SOUND for one, sound in sounds.items() if sound in there - forgotten
    }


def sound_of(path: Path) -> str | None:
    """Give the hash of a file's samples, hex; None if it is no sound."""
    audio = read_anywhere(path)
    return None if isinstance(audio, Rejected) else audio.sound.audio_hash
