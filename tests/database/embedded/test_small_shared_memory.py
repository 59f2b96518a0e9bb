"""Where a container has 64 MB of shared memory, a model is added to a registry of many speakers all the same."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3]
ADD_A_MODEL = """
from sqlalchemy import text
from registry.database.reach import reach
from registry.database.store.models import add_model
FILL = (
    "INSERT INTO operation (operation_id, kind, user_name, command, summary) VALUES (1, 'ingest', '', '', '{}')",
    "INSERT INTO speaker (gender, operation_id) SELECT 'F', 1 FROM generate_series(1, 15000)",
    "INSERT INTO profile SELECT speaker_id, 1, array_fill(speaker_id::real, ARRAY[192])::vector, 1, 1, 1 FROM speaker",
    "ANALYZE profile",
)
with reach("many", create=True) as opened:
    with opened.engine.begin() as connection:
        add_model(connection, "first", "first", 192)
        for statement in FILL:
            connection.execute(text(statement))
    with opened.engine.begin() as connection:
        add_model(connection, "second", "second", 192)
print("added")
"""
IN_A_SMALL_ONE = 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"'


def test_an_index_is_built_in_64_megabytes_of_shared_memory() -> None:
    folder = Path(tempfile.mkdtemp(prefix="registry-shm-", dir="/tmp"))
    folder.chmod(0o711)
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "REGISTRY_HOME": str(folder / "home")}
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("only root may have a /dev/shm of its own, and not in every container")
    words = ["unshare", "-m", "sh", "-c", IN_A_SMALL_ONE, "sh", sys.executable, "-c", ADD_A_MODEL]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    shutil.rmtree(folder)

    assert (done.stdout, done.stderr) == ("added\n", "")
