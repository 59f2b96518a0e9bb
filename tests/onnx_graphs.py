"""Small graphs in ONNX, of which only inputs, outputs and the place of the weights matter."""

from collections.abc import Mapping, Sequence

from onnx import ModelProto, TensorProto, helper

Ports = Mapping[str, Sequence[int | str]]  # shapes by name


def graph(sound: Ports, embeddings: Ports, *, weights: TensorProto | None = None) -> ModelProto:
    """Make a model that gives its input, scaled by weights, as each of its outputs."""
    nodes = [helper.make_node("Mul", [*sound, "w"], [name]) for name in embeddings]
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ports.items()]
        for ports in (sound, embeddings)
    )
    return helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, [weights or inside()]),
        opset_imports=[helper.make_opsetid("", 17)],
    )


def inside() -> TensorProto:
    """Make weights as they should be."""
    return helper.make_tensor("w", TensorProto.FLOAT, [1], [2.0])


def elsewhere(location: str) -> TensorProto:
    """Make four weights that lie in another file."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def in_the_graph(tensor: TensorProto) -> ModelProto:
    return graph({"x": [1, "n"]}, {"y": [1, "n"]}, weights=tensor)


def in_a_constant(tensor: TensorProto) -> ModelProto:
    model = in_the_graph(inside())
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))
    return model


def in_a_branch(tensor: TensorProto) -> ModelProto:
    model = in_a_constant(inside())
    branch = helper.make_graph([], "branch", [], [], [tensor])
    model.graph.node.append(helper.make_node("If", ["c"], ["d"], then_branch=branch, else_branch=branch))
    return model


def in_a_function(tensor: TensorProto) -> ModelProto:
    model = in_the_graph(inside())
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    model.functions.append(helper.make_function("own", "f", [], ["c"], [constant], []))
    return model


def in_a_sparse_tensor(tensor: TensorProto) -> ModelProto:
    model = in_the_graph(inside())
    model.graph.sparse_initializer.add(values=tensor, indices=helper.make_tensor("i", TensorProto.INT64, [1], [0]))
    return model


PLACES = (in_the_graph, in_a_constant, in_a_branch, in_a_function, in_a_sparse_tensor)
