"""A model that would have other files read, or places in memory, is refused before it is run."""

from collections.abc import Callable

import onnx
import pytest
from onnx import ModelProto, TensorProto

from registry.speech.runtimes.onnx_tensors import LEADING, insist_on_own_weights
from tests.onnx_graphs import PLACES, elsewhere, in_the_graph, inside


@pytest.mark.parametrize("place", PLACES)
def test_weights_in_another_file_are_refused_wherever_they_are_named(
    place: Callable[[TensorProto], ModelProto],
) -> None:
    insist_on_own_weights(place(inside()).SerializeToString())

    for location in ("model.onnx.data", "/etc/passwd", "*/_ORT_MEM_ADDR_/*"):
        with pytest.raises(ValueError, match="keeps weights in other files"):
            insist_on_own_weights(place(elsewhere(location)).SerializeToString())


def test_all_fields_are_known_that_lead_to_a_tensor() -> None:
    messages = onnx.ModelProto.DESCRIPTOR.file.message_types_by_name
    leading: dict[str, dict[int, str]] = {}
    found = {"TensorProto"}
    while found:
        reached = {*leading, "TensorProto"}
        for name, message in messages.items():
            fields = {f.number: f.message_type.name for f in message.fields if f.message_type}
            leading |= {name: {n: kind for n, kind in fields.items() if kind in reached}}
        leading = {name: fields for name, fields in leading.items() if fields}
        found = leading.keys() - reached

    assert leading == LEADING


@pytest.mark.parametrize(
    "content", [b"\x3a", b"\x3a\x05ab", b"<net/>", b"\xff" * 11, b"\x80" * 9, b"\xba\x80\x80\x80\x10\x00"]
)
def test_what_is_no_message_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="cut short, or no ONNX file"):
        insist_on_own_weights(content)


def test_a_file_cut_short_is_refused() -> None:
    content = in_the_graph(inside()).SerializeToString()

    with pytest.raises(ValueError, match="cut short"):
        insist_on_own_weights(content[:-3])
