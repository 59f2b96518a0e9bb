"""Names as people read them: one form for each, and what a garbled one was meant to be."""

import unicodedata


def one_form(name: str) -> str:
    """Give letters with marks the one form that all names are kept and compared in (Unicode's NFC)."""
    return unicodedata.normalize("NFC", name)


def meant(name: str) -> str | None:
    """Give what a name was before its UTF-8 was read as Latin-1, once or several times; None if it never was."""
    found, garbled = None, name
    while (mended := _mended(garbled)) is not None:
        found = garbled = mended
    return None if found is None else one_form(found)


def _mended(name: str) -> str | None:
    try:
        mended = b"".join(map(_byte, name)).decode()
    except UnicodeError:
        return None
    return None if mended == name else mended


def _byte(letter: str) -> bytes:
    """Give the byte that a letter stands for in Windows' Latin-1, or in the real one, where that has none."""
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1")
