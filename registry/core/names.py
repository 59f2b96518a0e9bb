"""Names in Unicode: the one form in which they are kept, and what a garbled name was meant to be."""

import unicodedata


def one_form(name: str) -> str:
    """Give a name in the one Unicode form in which names are kept and compared: NFC, a letter and its marks in one."""
    return unicodedata.normalize("NFC", name)


def meant(name: str) -> str | None:
    """Give what a name was before its UTF-8 was read as Latin-1, once or several times; None if it never was."""
    found, garbled = None, name
    while (mended := _mended(garbled)) is not None:
        found = garbled = mended
    return None if found is None else one_form(found)


def _mended(name: str) -> str | None:
    """Take back one such reading; None if the name does not come from one."""
    try:
        mended = b"".join(map(_byte, name)).decode()
    except UnicodeError:
        return None
    return None if mended == name else mended


def _byte(letter: str) -> bytes:
    """Give the byte that a letter stands for in Windows' Latin-1 (cp1252), or else in Latin-1 itself."""
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")
