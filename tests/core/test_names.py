"""A name has one form, and one that was garbled is known for what it was."""

import unicodedata
from typing import Literal

import pytest

from registry.core.names import meant, one_form


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_name_has_one_form(form: Literal["NFC", "NFD"]) -> None:
    assert one_form(unicodedata.normalize(form, "rádio São João")) == "r\xe1dio S\xe3o Jo\xe3o"


@pytest.mark.parametrize(
    ("garbled", "name"),
    [
        ("rádio".encode().decode("latin-1"), "rádio"),
        ("São João".encode().decode("cp1252"), "São João"),
        ("À noite".encode().decode("latin-1"), "À noite"),
        ("rádio".encode().decode("latin-1").encode().decode("latin-1"), "rádio"),
        ("радио".encode().decode("latin-1"), "радио"),
        ("ra\u0301dio".encode().decode("latin-1"), "rádio"),
    ],
)
def test_a_garbled_name_is_known_for_what_it_was(garbled: str, name: str) -> None:
    assert meant(garbled) == name


@pytest.mark.parametrize("name", ["andaiafm", "rádio", "São João", "Ã", "Radio Ö1", "Čro", "電台", "naïve £5", ""])
def test_a_name_that_is_what_it_is_asks_nothing(name: str) -> None:
    assert meant(name) is None
