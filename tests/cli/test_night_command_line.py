"""`registry night` as cron runs it, and what of it a person gets to read."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import MakeClip, night
from tests.fix_program import SOURCE, Machine

README = (SOURCE / "README.md").read_text(encoding="utf-8")
COMMANDS = (SOURCE / "cli" / "README.md").read_text(encoding="utf-8")
(CRON_LINE,) = re.findall(r"^30 4 \* \* \*  (.*)$", README, re.MULTILINE)
UNITS = re.findall(r"```ini\n(.*?)```", COMMANDS, re.DOTALL)


def as_cron(machine: Machine, line: str, nights: Path, speakers: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the README as cron does, with the paths of this machine."""
    for there, here in {
        "/opt/registry/.venv/bin/registry": machine.folder / "registry",
        "/data/registry": machine.folder / "home",
        "/data/nights": nights,
        "/data/speakers": speakers,
    }.items():
        assert there in line
        line = line.replace(there, str(here))
    return machine.shell(line)


def test_the_line_for_cron_prints_only_what_a_person_should_look_at(
    machine: Machine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    too_early = as_cron(machine, CRON_LINE, indir, out)
    first = as_cron(machine, CRON_LINE + " --new", indir, out)
    make_clip("a", group=night(6))
    well = as_cron(machine, CRON_LINE, indir, out)
    make_clip("b", 1200, group=night(7)).with_suffix(".txt").unlink()
    make_clip("c", 1200, group=night(7))
    with_rejected = as_cron(machine, CRON_LINE, indir, out)

    assert (too_early.returncode, too_early.stdout) == (2, "")
    assert f"There is no registry in {machine.folder / 'home'}" in too_early.stderr
    assert (first.returncode, first.stdout) == (0, "")
    assert (well.returncode, well.stdout, well.stderr) == (0, "", "")
    assert (with_rejected.returncode, with_rejected.stdout) == (1, "")
    assert with_rejected.stderr == (
        f"rejected '{indir}/andaiafm_F20201107/b.wav': there is no b.txt beside it [no-transcript]\n"
    )
    assert (out / "andaiafm20201107/andaiafm20201107-F0002/andaiafm20201107F0002_000000.wav").exists()


def test_without_quiet_there_is_one_report(machine: Machine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    said = as_cron(machine, CRON_LINE.replace("--quiet ", "") + " --new", indir, out)

    assert [" ".join(line.split()) for line in said.stdout.splitlines()] == [
        "group clips new new voices",
        "andaiafm_F20201105 1 1 1",
        "total 1 1 1",
        f"1 clips in {out}: 2 files written, 0 unchanged, 0 removed, 0 not exported",
    ]


def test_json_is_one_document(machine: Machine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    found = json.loads(as_cron(machine, CRON_LINE + " --new --json", indir, out).stdout)

    assert (found["ingested"]["total"]["new"], found["exported"]["written"]) == (1, 2)
    assert {name: found[name] for name in ("export_refused", "joined", "unsure")} == {
        "export_refused": None,
        "joined": [],
        "unsure": [],
    }


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd to ask")
def test_systemd_takes_the_units(machine: Machine) -> None:
    service, timer = UNITS
    program = service.replace("/opt/registry/.venv/bin/registry", str(machine.folder / "registry"))
    (machine.folder / "registry-night.service").write_text(program.replace("User=radio", "User=root"))
    (machine.folder / "registry-night.timer").write_text(timer)
    asked = ["systemd-analyze", "verify", "--man=no", str(machine.folder / "registry-night.timer")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})

    assert (done.returncode, done.stderr) == (0, "")
