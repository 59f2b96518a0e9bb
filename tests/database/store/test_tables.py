"""Tables as people see them on screens of 80 columns and of 200, and as files get them."""

from cli.tables import Table, fitted, plain

NIGHT = Table(
    ("group", "clips", "new"),
    [("andaiafm_F20201105", "12", "12"), ("andaiafm_M20201105", "3", "")],
    ("total", "15", "12"),
    (False, True, True),
)
CLIPS = Table(
    ("name", "transcript"), [("mclip-00000003", "bom dia a todos " * 6), ("b", "oi")], (), are_numbers=(False, False)
)


def test_what_fits_is_printed_as_it_is() -> None:
    assert list(fitted(NIGHT, 80)) == [
        "group               clips  new",
        "------------------  -----  ---",
        "andaiafm_F20201105     12   12",
        "andaiafm_M20201105      3",
        "------------------  -----  ---",
        "total                  15   12",
    ]


def test_the_longest_text_is_folded_between_words_and_nothing_else_is() -> None:
    assert list(fitted(CLIPS, 60)) == [
        "name            transcript",
        "--------------  --------------------------------------------",
        "mclip-00000003  bom dia a todos bom dia a todos bom dia a",
        "                todos bom dia a todos bom dia a todos bom",
        "                dia a todos",
        "b               oi",
    ]


def test_the_same_table_is_not_folded_where_it_fits() -> None:
    assert len(list(fitted(CLIPS, 200))) == 4


def test_what_can_only_be_torn_is_a_line_for_every_value() -> None:
    assert list(fitted(CLIPS, 39)) == [
        "-[ 1 ]----------------",
        "name       | mclip-00000003",
        "transcript | " + ("bom dia a todos " * 6).rstrip(),
        "-[ 2 ]----------------",
        "name       | b",
        "transcript | oi",
    ]


def test_the_footer_of_what_is_a_line_for_every_value_is_the_last() -> None:
    assert list(fitted(NIGHT, 20))[-4:] == ["-[ total ]--", "group | total", "clips | 15", "new   | 12"]


def test_a_table_of_numbers_alone_is_never_folded() -> None:
    counted = Table(tuple("abc"), [("1" * 20,) * 3], (), (True,) * 3)

    assert list(fitted(counted, 40)) == ["-[ 1 ]", *(f"{name} | {'1' * 20}" for name in "abc")]


def test_a_table_without_rows_shows_its_head_or_that_there_are_none() -> None:
    nothing = Table(("name", "transcript"), [], (), (False, False))

    assert list(fitted(nothing, 80)) == ["name  transcript", "----  ----------"]
    assert list(fitted(nothing, 10)) == ["(no rows)"]


def test_a_spare_column_is_left_out_before_the_rows_are_given_up() -> None:
    table = Table(
        ("n", "what", "command"),
        [("1", "x" * 30, "registry " + "y" * 60)],
        ("2", "all", ""),
        (True, False, False),
        spare=("command",),
    )

    assert list(fitted(table, 50)) == [
        "n  what",
        f"-  {'-' * 30}",
        f"1  {'x' * 30}",
        f"-  {'-' * 30}",
        "2  all",
    ]
    assert next(iter(fitted(table, 200))).split() == ["n", "what", "command"]


def test_wide_characters_take_two_columns() -> None:
    assert list(fitted(Table(("name", "n"), [("東京", "1"), ("é", "2")], (), (False, True)), 80)) == [
        "name  n",
        "----  -",
        "東京  1",
        "é     2",
    ]
    assert list(fitted(Table(("text",), [("東京" * 14,)], (), (False,)), 30))[2:] == [
        "東京" * 7 + "東",
        "京" + "東京" * 6,
    ]


def test_files_get_a_line_for_every_row_and_no_padding_for_a_transcript_of_megabytes() -> None:
    long = "x" * 10_000_000
    table = Table(("text", "n"), [(long, "7"), *[("a", "12")] * 1000], (), (False, True))
    lines = list(plain(table))

    assert lines[:3] == ["text   n", f"{long}   7", "a     12"]
    assert sum(map(len, lines)) < len(long) + 20_000


def test_rows_still_to_come_are_laid_out_as_those_before_and_stand_above_the_footer() -> None:
    def table() -> Table:
        return Table(("what", "n"), [("some", "1")], ("all", "22"), (False, True), more=iter([("much longer", "21")]))

    assert list(plain(table())) == ["what   n", "some   1", "much longer  21", "all   22"]
    assert list(fitted(table(), 80))[3:6] == ["much  21", "long", "er"]
    assert "what | much longer" in list(fitted(table(), 5))
