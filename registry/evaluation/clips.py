"""Which clips thousands of names mean, in a few queries."""

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from registry.core.names import one_form
from registry.core.records import Rejected
from registry.database.store import evaluation
from registry.database.store.evaluation import ClipName
from registry.input.formats import without_audio_suffix
from registry.input.group_folders import GROUP_NAME
from registry.input.sources import read_anywhere

ABSENT = "the registry has no such clip"
NO_ADDRESS = "expected a key, GROUP/NAME such as andaiafm_F20201105/x, or a wav file"
KEY_DIGITS = 18  # the database's keys have no more
Asked = TypeVar("Asked")


def find_all(connection: Connection, addresses: Iterable[str]) -> tuple[dict[str, list[int]], dict[str, str]]:
    """Find clips by what they are called, see `addresses.find_clips`, many at once.

    Returns:
        Address -> keys of its clips, and for each other address why it has none.
    """
    faults: dict[str, str] = {}
    keys: dict[str, int] = {}
    hashes: dict[str, str] = {}
    names: dict[str, ClipName] = {}
    for address in dict.fromkeys(addresses):
        if address.isdecimal():
            keys |= {address: int(address)} if len(address) <= KEY_DIGITS else {}
        elif os.path.isfile(address):  # noqa: PTH113 - Path.is_file() raises where a name is too long
            audio = read_anywhere(Path(address))
            if isinstance(audio, Rejected):
                faults[address] = audio.message
            else:
                hashes[address] = audio.sound.audio_hash
        elif (name := _name(address)) is not None:
            names[address] = name
        else:
            faults[address] = NO_ADDRESS
    there = {key: [key] for key in evaluation.clips_by_key(connection, keys.values())}
    found = _known(keys, there)
    found |= _known(hashes, evaluation.clips_by_audio(connection, set(hashes.values())))
    found |= _known(names, evaluation.clips_by_name(connection, sorted(set(names.values()), key=repr)))
    return found, {address: ABSENT for address in addresses if address not in found} | faults


def _name(address: str) -> ClipName | None:
    folder, _, name = address.rpartition("/")
    group = GROUP_NAME.fullmatch(folder)
    if group is None or "\0" in address:  # which the database cannot hold
        return None
    try:
        date = dt.datetime.strptime(group["date"], "%Y%m%d").date()  # noqa: DTZ007 - a calendar date
    except ValueError:
        return None
    clip_name = one_form(without_audio_suffix(name))
    return ClipName(one_form(group["broadcaster"]), group["gender"].upper(), date, clip_name)


def _known(asked: Mapping[str, Asked], there: Mapping[Asked, list[int]]) -> dict[str, list[int]]:
    return {address: there[what] for address, what in asked.items() if what in there}
