"""Whose a file is."""

from registry.files.ownership import user_name


def test_a_user_is_called_by_name_and_one_without_as_sudo_takes_a_number() -> None:
    assert (user_name(0), user_name(3_999_999_999)) == ("root", "#3999999999")
