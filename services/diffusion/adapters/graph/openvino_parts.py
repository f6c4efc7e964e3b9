"""Gives OpenVINO each adapter matrix as an input of its own."""

from typing import Any

from services.diffusion.adapters.lora_stack import part_name
from services.diffusion.adapters.packed_lora import LoraLayout


def lift_parts(model: Any, layout: LoraLayout, element_type: Any | None = None) -> None:
    """Replace the packed inputs of *model*, an openvino.Model, by one input per `down` and `up`, in place.

    In the graph each packed matrix is split along its columns, which copies it in every call; handed over in
    parts, nothing is copied.

    Args:
        model: The graph as read.
        layout: Of its adapters.
        element_type: openvino.Type of the new inputs; None = float32.

    Raises: ValueError if a packed input is not split as the layout says.
    """
    import openvino
    from openvino import opset13 as opset

    packed = {given.get_friendly_name(): given for given in model.get_parameters()}
    for group in (group for group in layout.widths if group in packed):
        (consumer,) = packed[group].output(0).get_target_inputs()
        split, edges = consumer.get_node(), layout.parts(group)
        if len(split.outputs()) != len(edges):
            raise ValueError(f"{group} is split into {len(split.outputs())} parts, not {len(edges)}")
        for index, (start, end) in enumerate(edges):
            name, shape = part_name(group, index), openvino.PartialShape([-1, -1, end - start])
            part = opset.parameter(shape, element_type or openvino.Type.f32, name)
            part.output(0).set_names({name})
            value = part if element_type is None else opset.convert(part, "f32")
            for target in split.output(index).get_target_inputs():
                target.replace_source_output(value.output(0))
            model.add_parameters([part])
        model.remove_parameter(packed[group])
    model.validate_nodes_and_infer_types()
