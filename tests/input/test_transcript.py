"""A transcript can be searched, whatever its encoding."""

import codecs
import unicodedata

import pytest

from registry.input.transcript import text_of

TEXT = "Bom dia, São João"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-32"])
def test_every_encoding_says_the_same(encoding: str) -> None:
    assert text_of(f" {TEXT}\r\n".encode(encoding)) == TEXT


@pytest.mark.parametrize(("mark", "encoding"), [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_BE, "utf-32-be")])
def test_the_mark_tells_the_order_of_bytes(mark: bytes, encoding: str) -> None:
    assert text_of(mark + TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_letters_have_one_form(encoding: str) -> None:
    assert text_of(unicodedata.normalize("NFD", TEXT).encode(encoding)) == TEXT


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"a\0b", "ab"),
        (b"\xff\xfeb\0o\0m\0", "bom"),
        (b"\xff\xfeb\0o", "b\ufffd"),
        (b"\xff\xfe\0\xd8b\0", "\ufffdb"),
    ],
)
def test_what_is_broken_is_read_as_far_as_it_goes(content: bytes, text: str) -> None:
    assert text_of(content) == text
