"""An address is shown by what is known to be no secret, and by nothing else."""

import pytest

from registry.core.shown_addresses import holds_secret, is_plain, shown_database, shown_text, shown_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me@host:5432/name", "postgresql://me@host:5432/name"),
        ("postgresql://me:hush@host:5432/name", "postgresql://me:***@host:5432/name"),
        ("postgresql://me:hu@sh@host/name", "postgresql://me:***@host/name"),
        ("postgresql://me:hu/sh@host/name", "postgresql://me:***@host/name"),
        ("postgresql://me:@host/name", "postgresql://me:***@host/name"),
        ("postgresql://host/name?password=hush", "postgresql://host/name"),
        ("postgresql://host/name#hush", "postgresql://host/name"),
        ("postgresql:///name", "postgresql:///name"),
        ("postgresql://[::1]:5432/name", "postgresql://[::1]:5432/name"),
        ("postgresql://hu sh/name", "postgresql://***"),
        ("https://hu sh@host/a.wav", "https://***@host/a.wav"),
        ("s3://bucket/night@five/a.wav", "s3://bucket/night@five/a.wav"),
        ("s3://key:hush@bucket/a.wav", "s3://key:***@bucket/a.wav"),
        ("https://host/https://me:hush@other/a", "https://host/https://me:***@other/a"),
        ("https://me:hush@host/https://other/a", "https://me:***@host/https://other/a"),
        ("postgresql://me:12/34@host/name", "postgresql://me:***@host/name"),  # a password like a port and a path
    ],
)
def test_of_a_url_scheme_user_host_port_and_path_are_shown(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_the_urls_of_a_text_are_shown_so() -> None:
    assert shown_text("cannot reach postgresql://me:hush@host/name") == "cannot reach postgresql://me:***@host/name"
    assert shown_text("no URL: a/b@c") == "no URL: a/b@c"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ({"host": "h", "port": 5432, "user": "me", "dbname": "d", "password": "hush"}, "postgresql://me:***@h:5432/d"),
        ({"host": "h", "user": "me", "dbname": "d"}, "postgresql://me@h/d"),
        ({"host": "h", "dbname": "d", "password": "hush"}, "postgresql://:***@h/d"),
        ({"host": "::1", "port": "1", "dbname": "d"}, "postgresql://[::1]:1/d"),
        ({"host": "/run/pg", "user": "a b", "dbname": "c d"}, "postgresql://a%20b@/c%20d?host=/run/pg"),
        ({}, "postgresql:///"),
    ],
)
def test_a_database_is_shown_by_user_host_port_and_name(address: dict[str, object], shown: str) -> None:
    assert shown_database(address) == shown


@pytest.mark.parametrize(
    ("address", "is_so"),
    [
        ({"host": "h", "port": "5432", "dbname": "d"}, True),
        ({"host": "h"}, True),
        ({"host": "h,i", "port": "1,2"}, True),
        ({"port": "hush"}, False),
        ({"host": "sh@h"}, False),
        ({"host": "h", "dbname": "sh@h/d"}, False),
    ],
)
def test_an_address_with_a_password_in_the_place_of_something_else_is_not_plain(
    address: dict[str, object], is_so: bool
) -> None:
    assert is_plain(address) == is_so


@pytest.mark.parametrize(
    ("url", "may_hold_one"),
    [
        ("s3://bucket/a.wav", False),
        ("s3://bucket/night@five/a:b.wav", False),
        ("s3://key:hush@bucket", True),
        ("s3://profile@bucket", False),
        ("https://token@host/a.wav", True),
        ("http://token@host/a.wav", True),
        ("https://host/a.wav?signature=hush", True),
        ("https://host/a.wav?page", False),
        ("https://host/a=b.wav", False),
        ("https://host/night@five.wav", False),
        ("s3://bucket/a:b@c.wav", False),
        ("https://token@host/s3://bucket", True),
    ],
)
def test_a_password_a_token_or_a_query_may_be_a_secret(url: str, may_hold_one: bool) -> None:
    assert holds_secret(url) == may_hold_one
