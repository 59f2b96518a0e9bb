"""Does an ONNX file hold all of its weights itself?

A tensor may name another file instead, or even a place in memory, and OpenVINO, given a file's content, reads whatever
is named: so it is asked before. An ONNX file is a message of Protocol Buffers; only the fields that lead to tensors are
looked at.
"""

from collections.abc import Iterator, Mapping

CUT = "it is cut short, or no ONNX file"
LONGEST_VARINT = 10  # bytes
LARGEST_KEY = 1 << 32
VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5  # how the value of a field is written

# By message, the numbers of the fields that may hold a tensor somewhere, and the message that they are; of onnx.proto.
LEADING: Mapping[str, Mapping[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        10: "TensorProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
        6: "GraphProto",
        11: "GraphProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
}
EXTERNAL_DATA, DATA_LOCATION = 13, 14  # fields of a TensorProto; the location of data inside is 0

Value = int | memoryview


def insist_on_own_weights(content: bytes) -> None:
    """Refuse a model with weights outside of its file.

    Raises:
        ValueError: Some are, or the content is no message.
    """
    left = [("ModelProto", memoryview(content))]
    while left:
        kind, message = left.pop()
        for number, value in _fields(message):
            if kind == "TensorProto" and (number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)):
                raise ValueError("it keeps weights in other files; save it as one file, with all of them inside")
            inner = LEADING.get(kind, {}).get(number)
            if inner is not None and isinstance(value, memoryview):
                left.append((inner, value))


def _fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Give the fields of a message by number; what is of a fixed size counts as 0."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, written, value, size = key >> 3, key & 7, 0, 0
        if written == VARINT:
            value, at = _varint(message, at)
        elif written == LENGTH:
            size, at = _varint(message, at)
        elif written in {EIGHT_BYTES, FOUR_BYTES}:
            size = 8 if written == EIGHT_BYTES else 4
        if written not in {VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES} or key >= LARGEST_KEY or at + size > len(message):
            raise ValueError(CUT)
        yield number, message[at : at + size] if written == LENGTH else value
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Give a number, seven bits a byte, and where it ends."""
    value = 0
    for place, byte in enumerate(message[at : at + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the eighth bit: more follows
            return value, at + place + 1
    raise ValueError(CUT)
