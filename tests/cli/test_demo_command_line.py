"""The tour, as somebody takes it who has just installed the registry and has not activated anything."""

import os
import shutil

from tests.fix_program import Machine


def test_what_the_demo_prints_to_go_on_with_runs_as_printed(machine: Machine) -> None:
    home = str(machine.folder / "home")
    said = machine.shell("./registry demo 'a demo'", machine.folder, REGISTRY_HOME=home)
    shown, _, advised = said.stdout.partition("To go on:\n")
    went_on = [machine.shell(line, machine.folder, REGISTRY_HOME=home) for line in advised.splitlines()]

    assert (said.returncode, said.stderr.splitlines()[0].startswith("made a new registry, ")) == (0, True)
    assert "$ ./registry ingest --database demo 'a demo/nights/2020-11-05'\n" in shown
    assert [(one.returncode, one.stderr) for one in went_on] == [(0, "")] * 4
    assert "persistence: 1.000" in went_on[-1].stdout


def test_where_registry_is_found_the_demo_says_so(machine: Machine) -> None:
    home, path = str(machine.folder / "home"), f"{machine.folder}:{os.defpath}"
    said = machine.shell("registry demo demo", machine.folder, REGISTRY_HOME=home, PATH=path)

    assert "$ registry ingest --database demo demo/nights/2020-11-05\n" in said.stdout
    assert shutil.which("registry", path=path) == str(machine.folder / "registry")


def test_on_a_terminal_no_report_is_torn_by_a_bar(machine: Machine) -> None:
    shown = machine.on_terminal("./registry demo demo")

    assert "\ngroup             clips  new" in shown
    assert "\n7 clips in demo/speakers: " in shown
