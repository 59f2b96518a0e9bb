"""A day of `--as-of` is a day of UTC on which the registry was changed, wherever anybody's clock stands."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from registry.errors import UnknownMoment, UnknownOperation
from registry.export.as_of import find_moment
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model")


@pytest.fixture
def registry(engine: Engine, indir: Path, make_clip: MakeClip, database_url: str) -> Engine:
    """Two operations on one day of UTC, in a database whose sessions live in Tokyo, where one is of the next day."""
    make_clip("a")
    make_clip("b", group=night(6))
    ingest(engine, [indir], AUTHOR)
    name = database_url.rpartition("/")[2].partition("?")[0]
    with engine.begin() as connection:
        for operation_id, at in ((1, "2020-12-31 10:00"), (2, "2020-12-31 23:59:59.9")):
            values = {"at": f"{at}+00", "operation_id": operation_id}
            connection.execute(text("UPDATE operation SET at = :at WHERE operation_id = :operation_id"), values)
        connection.execute(text(f"ALTER DATABASE \"{name}\" SET timezone = 'Asia/Tokyo'"))
    return engine


@pytest.mark.parametrize(
    ("said", "operation_id"),
    [("2020-12-31", 2), ("20201231", 2), ("2020-12-30", 0), ("2021-01-01", 2), ("1", 1), ("2", 2)],
)
def test_a_day_ends_with_utc(registry: Engine, said: str, operation_id: int) -> None:
    assert find_moment(registry, said).operation_id == operation_id


def test_a_moment_is_told_in_utc(registry: Engine) -> None:
    assert str(find_moment(registry, "1")) == "right after operation 1, 2020-12-31 10:00 UTC"


def test_a_moment_before_everything_says_when_the_registry_began(registry: Engine) -> None:
    warning = find_moment(registry, "2020-12-30").warning

    assert "Nothing held yet at that moment: the registry began on 2020-12-31 10:00 UTC" in warning
    assert "not which night was recorded" in warning


@pytest.mark.parametrize("said", ["yesterday", "²", "2020-13-01", "-1", "١٢", ""])
def test_what_is_no_moment_is_an_error_that_says_what_is(engine: Engine, said: str) -> None:
    with pytest.raises(UnknownMoment, match=r"Say an operation, 12 .* in UTC"):
        find_moment(engine, said)


@pytest.mark.parametrize("said", ["99", "9" * 30, "0"])
def test_a_number_that_no_operation_has_is_an_error(engine: Engine, said: str) -> None:
    with pytest.raises(UnknownOperation):
        find_moment(engine, said)
