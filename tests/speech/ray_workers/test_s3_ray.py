"""Two nodes that read from s3:// end with what one machine ends with that reads a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from sqlalchemy import Engine

from registry.core.records import Rejected
from registry.database.check import check
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.input.remote import RemotePath, to_path
from registry.speech.ray_workers import RayWorkers
from tests.conftest import AUTHOR
from tests.fix_s3 import Bucket
from tests.speech.ray_workers.conftest import State, TwoNodes, state, two_nodes
from tests.speech.ray_workers.test_ray import assert_same, no_model

if TYPE_CHECKING:
    from registry.speech.workers import Read


def test_two_nodes_read_every_object_once(engine: Engine, nights: Path, local: State, bucket: Bucket) -> None:
    url = to_path(bucket.upload(nights, "nights"))
    with two_nodes() as cluster:  # begun after the bucket, whose endpoint and key nodes find in their environment
        report = ingest(engine, [url], AUTHOR, IngestOptions(ray=cluster.address))
    asked = bucket.asked.of_files()
    again = ingest(engine, [url], AUTHOR)
    found = state(engine)

    assert report.rejected == again.rejected == ()
    assert_same(found, local)
    assert found.summaries[0]["nodes"] == found.summaries[0]["workers"] == 2
    assert asked == [("GET", f"nights/{path.relative_to(nights)}") for path in sorted(nights.rglob("*.*"), key=str)]
    assert (again.total["known"], bucket.asked.of_files()) == (len(found.clips), asked)
    assert check(engine) == []


def test_nodes_without_the_extra_say_so(cluster: TwoNodes) -> None:
    with RayWorkers(cluster.address, no_model, str) as workers:
        (found,) = workers.hear(
            [RemotePath("nonsense://bucket/a.wav")], cast("Read[RemotePath, object]", RemotePath.stat)
        )

    assert isinstance(found, Rejected)
    assert (found.path, found.reason) == ("nonsense://bucket/a.wav", "failed")
    assert "pip install '.[s3]'" in found.message
