"""From the exporter's file to the graph's variants, which share one file of weights."""

from collections.abc import Collection
from pathlib import Path

import onnx
from onnx.external_data_helper import convert_model_to_external_data

from services.diffusion.adapters.graph.operations import UPDATE, UPDATE_DOMAIN
from services.diffusion.adapters.graph.sidecar import DATA_FILE, GROUPS, VARIANTS

# Smaller constants stay in the graph's file: shapes must be readable without the weights.
_LEAST_EXTERNAL_BYTES = 1024


def write_graphs(exported: Path, folder: Path) -> None:
    """Write unet.onnx, its variants and their common unet.onnx.data into *folder*."""
    model = onnx.load(str(exported))
    # The exporter's own guesses at inner shapes; some hold for the trace's sizes only, and runtimes that
    # believe them reuse buffers of the wrong size.
    del model.graph.value_info[:]
    convert_model_to_external_data(model, location=DATA_FILE, size_threshold=_LEAST_EXTERNAL_BYTES)
    # The whole graph writes the weights; from then on the model only says where in the file they are.
    for variant in reversed(VARIANTS):
        finished = onnx.ModelProto()
        finished.CopyFrom(model)
        _keep_groups(finished, variant.groups)
        _name_sums(finished)
        onnx.save_model(finished, str(folder / variant.file_name))
        if variant is VARIANTS[-1]:
            _replace(model.graph.initializer, list(finished.graph.initializer))
    (folder / DATA_FILE).chmod(0o644)  # onnx makes it private


def _keep_groups(model: onnx.ModelProto, groups: Collection[str]) -> None:
    """Cut the updates of all other groups, with everything that only they need."""
    graph = model.graph
    replaced: dict[str, str] = {}
    kept = []
    for node in graph.node:
        node.input[:] = [replaced.get(name, name) for name in node.input]
        if node.op_type == UPDATE and _group(node) not in groups:
            replaced[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    _restore_outputs(graph, kept, replaced)
    needed = {output.name for output in graph.output}
    alive = []
    for node in reversed(kept):
        if needed.intersection(node.output):
            needed.update(node.input)
            alive.append(node)
    _replace(graph.node, alive[::-1])
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in needed])
    cut = set(GROUPS) - set(groups)
    _replace(graph.input, [given for given in graph.input if given.name not in cut])


def _restore_outputs(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], replaced: dict[str, str]) -> None:
    """Where an output of the graph was an update that is gone, its base takes the name over."""
    names = {replaced[output.name]: output.name for output in graph.output if output.name in replaced}
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def _name_sums(model: onnx.ModelProto) -> None:
    """Turn the marked sums into plain ones."""
    for node in model.graph.node:
        if node.op_type == UPDATE:
            node.op_type, node.domain = "Add", ""
            del node.attribute[:]
    _replace(model.opset_import, [entry for entry in model.opset_import if entry.domain != UPDATE_DOMAIN])


def _group(node: onnx.NodeProto) -> str:
    return str(node.attribute[0].s.decode())


def _replace(field: object, values: list[object]) -> None:
    """Set a repeated protobuf field."""
    copies = list(values)
    del field[:]  # type: ignore[attr-defined]
    field.extend(copies)  # type: ignore[attr-defined]
