"""Texts of Triton's config.pbtxt files, and what they can be tuned by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.packed_lora import RANK_STEP
from services.diffusion.adapters.triton.server.content_key import ADAPTERS_PER_ROW
from shared.sdmodels import ModelFolder
from shared.sdmodels.folder import read_json

Dims = tuple[int, ...]


@dataclass(frozen=True)
class RepositoryOptions:
    """What a repository can be tuned by.

    Attributes:
        name: The model's name on Triton.
        device: "cpu", or "cuda:N" for GPU number N.
        max_rows: Rows of one call of the graph, all clients together.
        queue_delay_us: How long Triton waits for more rows, in microseconds. The diffusion service batches
            already: with one such client every microsecond is lost, with several some are worth it.
        rank_rows: Ranks of adapters kept at a time, per packed input; 1024 are 64 adapters of rank 16.
        max_rank: Most ranks that the adapters of one row may add up to.
        side_cells: Height and width in latent cells that the model is trained for.
        context_tokens: Tokens of a prompt, with start and end markers.
    """

    name: str = "unet"
    device: str = "cpu"
    max_rows: int = 16
    queue_delay_us: int = 500
    rank_rows: int = 1024
    max_rank: int = 128
    side_cells: int = 64
    context_tokens: int = 77


def options_for(folder: ModelFolder, tuning: Mapping[str, Any]) -> RepositoryOptions:
    """Options for the sizes that *folder* is made for; *tuning* holds further fields."""
    side = folder.unet_config["sample_size"]
    text = read_json(folder.path / "text_encoder" / "config.json")
    return RepositoryOptions(
        **{
            "side_cells": side if isinstance(side, int) else max(side),
            "context_tokens": text["max_position_embeddings"],
            **tuning,
        }
    )


def graph_dims(graph: UNetGraph) -> dict[str, Dims]:
    """The graph's inputs, all float32, without the batch; -1 is free."""
    dims: dict[str, Dims] = {
        "latents": (graph.latent_channels, -1, -1),
        "timesteps": (),
        "context": (-1, graph.context_width),
        "pooled": (graph.pooled_width,),
        "size_ids": (6,),
        "identity_tokens": (graph.identity_tokens, graph.context_width),
        "identity_scales": (),
        **{name: (-1, width) for name, width in graph.layout.widths.items()},
    }
    return {name: dims[name] for name in graph.input_names}


def front_config(graph: UNetGraph, options: RepositoryOptions, plan_model: str | None) -> str:
    """config.pbtxt of the model that clients call."""
    dims = graph_dims(graph)
    per_row: dict[str, tuple[str, Dims]] = {"adapters": ("TYPE_INT64", (ADAPTERS_PER_ROW, 4))}
    per_row["strengths"] = ("TYPE_FP32", (ADAPTERS_PER_ROW,))
    # Triton knows no input without dims behind the batch: the model makes [B] of [B, 1].
    per_row |= {name: ("TYPE_FP32", shape or (1,)) for name, shape in dims.items()}
    inputs = [
        _tensor(name, kind, shape, "" if name == "adapters" else " optional: true")
        for name, (kind, shape) in per_row.items()
    ]
    outputs = [
        _prediction(graph),
        _tensor("epoch", "TYPE_INT64", (1,)),
        _tensor("description", "TYPE_UINT8", (-1,)),
    ]
    warm = {name: entry for name, entry in per_row.items() if name not in graph.layout.widths}
    variants = "; ".join(" ".join([variant.file_name, *variant.groups]) for variant in graph.variants)
    parameters = {"rank_rows": options.rank_rows, "rank_step": RANK_STEP, "max_rank": options.max_rank}
    return "\n".join(
        [
            f"# Written by `likeness export`. Graph: unet.json beside the code, digest {graph.digest[:12]}.",
            f'name: "{options.name}"',
            'backend: "python"',
            f"max_batch_size: {options.max_rows}",
            f"input [\n{_listed(inputs)}\n]",
            f"output [\n{_listed(outputs)}\n]",
            _batching(options),
            f"# One instance: each has adapters of its own.\n{_instance(options)}",
            *(_parameter(name, str(value)) for name, value in parameters.items()),
            _parameter("plan_model", plan_model) if plan_model else _parameter("variants", variants),
            # Tensors that come by CUDA shared memory stay on the GPU.
            *([_parameter("FORCE_CPU_ONLY_INPUT_TENSORS", "no")] if options.device != "cpu" else []),
            # A plan is warmed up itself: it may be loaded later than the model in front of it.
            *([] if plan_model else [_warm_ups(warm, options)]),
            "",
        ]
    )


def plan_config(graph: UNetGraph, options: RepositoryOptions, name: str) -> str:
    """config.pbtxt of the TensorRT plan, which only the model in front of it calls."""
    dims = graph_dims(graph)
    inputs = [
        _tensor(name, "TYPE_FP32", shape or (1,), "" if shape else " reshape: { shape: [ ] }")
        for name, shape in dims.items()
    ]
    warm = {name: ("TYPE_FP32", shape or (1,)) for name, shape in dims.items()}
    return "\n".join(
        [
            "# Written by `likeness export`. Not run where it was written: no GPU there.",
            f'name: "{name}"',
            'platform: "tensorrt_plan"',
            f"max_batch_size: {options.max_rows}",
            f"input [\n{_listed(inputs)}\n]",
            f"output [\n{_prediction(graph)}\n]",
            "# No dynamic batching: the model in front has batched already.",
            _instance(options),
            _warm_ups(warm, options),
            "",
        ]
    )


def _prediction(graph: UNetGraph) -> str:
    return _tensor("prediction", "TYPE_FP32", (graph.out_channels, -1, -1))


def _batching(options: RepositoryOptions) -> str:
    preferred = [size for size in (4, 8, 16, 32, 64) if size <= options.max_rows] or [options.max_rows]
    return (
        "dynamic_batching {\n"
        f"  preferred_batch_size: {preferred}\n"
        f"  max_queue_delay_microseconds: {options.queue_delay_us}\n"
        "}"
    )


def _instance(options: RepositoryOptions) -> str:
    if options.device == "cpu":
        return "instance_group [ { count: 1 kind: KIND_CPU } ]"
    gpu = options.device.partition(":")[2] or "0"
    return f"instance_group [ {{ count: 1 kind: KIND_GPU gpus: [ {gpu} ] }} ]"


def _warm_ups(inputs: Mapping[str, tuple[str, Dims]], options: RepositoryOptions) -> str:
    """One row, for the set-up of the first call; on a GPU also the most rows, which take other kernels."""
    sizes = [1] if options.device == "cpu" else [1, options.max_rows]
    return f"model_warmup [\n{_listed([_warm_up(size, inputs, options) for size in sizes])}\n]"


def _warm_up(rows: int, inputs: Mapping[str, tuple[str, Dims]], options: RepositoryOptions) -> str:
    free = {"latents": options.side_cells, "context": options.context_tokens}
    entries = []
    for name, (kind, shape) in inputs.items():
        dims = ", ".join(str(free.get(name, RANK_STEP) if size == -1 else size) for size in shape)
        data = "random_data" if name == "latents" else "zero_data"
        value = f"data_type: {kind} dims: [ {dims} ] {data}: true"
        entries.append(f'    inputs {{ key: "{name}" value: {{ {value} }} }}')
    return f'  {{ name: "rows-{rows}" batch_size: {rows}\n' + "\n".join(entries) + "\n  }"


def _tensor(name: str, kind: str, dims: Dims, more: str = "") -> str:
    return f'  {{ name: "{name}" data_type: {kind} dims: [ {", ".join(map(str, dims))} ]{more} }}'


def _parameter(name: str, value: str) -> str:
    return f'parameters {{ key: "{name}" value: {{ string_value: "{value}" }} }}'


def _listed(entries: Sequence[str]) -> str:
    return ",\n".join(entries)
