"""Every reason for a rejection and every message is in one list, and nothing else is rejected."""

import ast
from pathlib import Path

import pytest

from registry.core.rejections import REASONS, Fault

LIBRARY = Path(__file__).resolve().parents[2] / "registry"
CALLED = [
    (path, node.func.id)
    for path in LIBRARY.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
]
USED = {
    node.attr
    for path in LIBRARY.rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Fault"
}


def test_reasons_are_those_of_the_faults() -> None:
    assert {fault.reason for fault in Fault} == set(REASONS)
    assert list(REASONS) == sorted(REASONS)


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_found_somewhere(fault: Fault) -> None:
    assert fault.name in USED


def test_nothing_is_rejected_but_by_a_fault() -> None:
    assert {path.name for path, name in CALLED if name == "Rejected"} == {"rejections.py"}


def test_a_message_is_completed_by_facts_and_facts_are_not_read_as_forms() -> None:
    rejected = Fault.UNREADABLE.of("/in/{a}.wav", cause="{0}", remedy="{remedy}")

    assert (rejected.path, rejected.reason, rejected.message) == ("/in/{a}.wav", "unreadable", "{0}; {remedy}")
