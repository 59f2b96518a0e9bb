"""What a transcript says, for searching: the file itself is what gets exported."""

import codecs

from registry.core.names import one_form

# Those of 32 bits begin as those of 16 do.
MARKED = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(transcript: bytes) -> str:
    """Make a transcript searchable, whatever its encoding: no marks, no NUL, letters in one form (NFC)."""
    return one_form(_decoded(transcript)).replace("\0", "").strip()


def _decoded(transcript: bytes) -> str:
    marked = next((encoding for mark, encoding in MARKED if transcript.startswith(mark)), None)
    try:
        return transcript.decode(marked or "utf-8", "replace" if marked in ("utf-16", "utf-32") else "strict")
    except UnicodeDecodeError:
        return transcript.decode("latin-1")
