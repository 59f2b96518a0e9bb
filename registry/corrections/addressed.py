"""Which clips people mean: by key, by group and name, or by what an audio file holds."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from registry.core.names import one_form
from registry.core.records import Group, Rejected
from registry.database.store.addresses import clips_by_audio, clips_by_key, clips_by_name
from registry.errors import UnknownClip
from registry.input.formats import without_audio_suffix
from registry.input.group_folders import group_called
from registry.input.remote import is_remote, to_path
from registry.input.sources import read_anywhere

ABSENT = "the registry has no such clip"
NO_ADDRESS = "expected a key, GROUP/NAME such as andaiafm_F20201105/x, or a wav file"
KEY_DIGITS = 18  # the database's keys have no more
Asked = TypeVar("Asked")


def find_clips(connection: Connection, addresses: Iterable[str]) -> list[int]:
    """Find the clips that a command line names, each once, in order of key.

    A clip is named by its key (1234), as GROUP/NAME (andaiafm_F20201105/mclip-00000003), or by an audio file or URL. A
    file, an exported one say, stands for every clip with its sound, since they are one recording.

    Raises:
        UnknownClip: An address names no clip, or its file cannot be read.
    """
    found, faults = _find(connection, addresses, lambda address: is_remote(address) or _is_file(address))
    for address, cause in faults.items():
        raise UnknownClip(address=address, cause=cause)
    return sorted({clip_id for clip_ids in found.values() for clip_id in clip_ids})


def find_labelled(connection: Connection, addresses: Iterable[str]) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Find the clips that a file of labels names, as `find_clips` does; its URLs are not fetched.

    Returns:
        Address -> keys of its clips, and for each other address why it has none.
    """
    return _find(connection, addresses, _is_file)


def _is_file(address: str) -> bool:
    return os.path.isfile(address)  # noqa: PTH113 - Path.is_file() raises where a name is too long


def _find(
    connection: Connection, addresses: Iterable[str], is_file: Callable[[str], bool]
) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Sort addresses by kind, and ask the database once for each kind."""
    asked = list(dict.fromkeys(addresses))
    faults: dict[str, str] = {}
    keys: dict[str, int] = {}
    hashes: dict[str, str] = {}
    names: dict[str, list[tuple[Group, str]]] = {}
    for address in asked:
        if address.isdecimal():
            keys |= {address: int(address)} if len(address) <= KEY_DIGITS else {}
        elif is_file(address):
            audio = read_anywhere(to_path(address))
            if isinstance(audio, Rejected):
                faults[address] = audio.message
            else:
                hashes[address] = audio.sound.audio_hash
        elif (group := group_called(address.rpartition("/")[0])) is not None and "\0" not in address:
            names[address] = [(group, name) for name in _names(address.rpartition("/")[2])]
        else:
            faults[address] = NO_ADDRESS
    found = _known(keys, {key: [key] for key in clips_by_key(connection, keys.values())})
    found |= _known(hashes, clips_by_audio(connection, set(hashes.values())))
    there = clips_by_name(connection, sorted(set().union(*names.values())))
    found |= {address: clip_ids for address, several in names.items() if (clip_ids := _first_of(several, there))}
    return found, {address: faults.get(address, ABSENT) for address in asked if address not in found}


def _names(name: str) -> list[str]:
    """Give the names that a clip may have which is called by its name, or else by that of its audio file."""
    return [one_form(name), one_form(without_audio_suffix(name))]


def _first_of(names: Iterable[Asked], there: Mapping[Asked, list[int]]) -> list[int]:
    return next((there[name] for name in names if name in there), [])


def _known(asked: Mapping[str, Asked], there: Mapping[Asked, list[int]]) -> dict[str, list[int]]:
    return {address: there[what] for address, what in asked.items() if what in there}
