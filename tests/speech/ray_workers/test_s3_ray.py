"""Two nodes that read from s3:// end with what one machine ends with that reads a folder."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from registry.core.records import Rejected
from registry.database.check import check
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.input.remote import RemotePath, to_path
from registry.speech.ray_workers import RayWorkers
from tests.fix_s3 import Bucket

pytest.importorskip("ray", reason="the extra [ray] is not installed")  # before what needs it
from tests.speech.ray_workers import test_ray
from tests.speech.ray_workers.test_ray import AUTHOR, State, assert_same, no_model, state, two_nodes

pytestmark = test_ray.pytestmark
nights, local = test_ray.nights, test_ray.local


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


def test_nodes_without_the_extra_say_so() -> None:
    with two_nodes() as cluster, RayWorkers(cluster.address, no_model, str) as workers:
        (found,) = workers.hear([RemotePath("nonsense://bucket/a.wav")], RemotePath.stat)  # type: ignore[arg-type]

    assert isinstance(found, Rejected)
    assert (found.path, found.reason) == ("nonsense://bucket/a.wav", "failed")
    assert "pip install '.[s3]'" in found.message
