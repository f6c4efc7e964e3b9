"""Writes a repository whose graph is a TensorRT plan, and how to build the plan on a GPU host.

Not run where this was written: there was no GPU. The model in front, its bank and its call of a second model
of the repository are the code that the tests run on a CPU, with another second model.
"""

import dataclasses
from pathlib import Path

from services.diffusion.adapters.graph.sidecar import UNetGraph
from services.diffusion.adapters.packed_lora import RANK_STEP
from services.diffusion.adapters.triton.config_text import RepositoryOptions, graph_dims, plan_config
from services.diffusion.adapters.triton.repository import link_or_copy, write_repository

# Images of the same release hold the same TensorRT; a plan runs on the version and the kind of GPU it was
# built with only.
_IMAGE = "nvcr.io/nvidia/tritonserver:24.10-py3"
_TRTEXEC = "/usr/src/tensorrt/bin/trtexec"


def write_tensorrt(graph: UNetGraph, place: Path, options: RepositoryOptions) -> Path:
    """Write into the folder *place*; returns the repository's folder in it.

    models/NAME is what clients call: the model and adapter bank that run on a CPU too. models/NAME_plan
    is the plan, without its file so far; graph/ is what build.sh makes it of; BUILD.md says how.

    Raises: OSError.
    """
    if options.device == "cpu":
        options = dataclasses.replace(options, device="cuda:0")
    plan = f"{options.name}_plan"
    models = place / "models"
    write_repository(graph, models, options, plan_model=plan)
    version = models / plan / "1"
    version.mkdir(parents=True, exist_ok=True)
    (models / plan / "config.pbtxt").write_text(plan_config(graph, options, plan), encoding="utf-8")
    (place / "graph").mkdir(exist_ok=True)
    for file in graph.folder.iterdir():
        target = place / "graph" / file.name
        target.unlink(missing_ok=True)
        link_or_copy(file, target)
    script = place / "build.sh"
    script.write_text(build_script(graph, options, plan), encoding="utf-8")
    script.chmod(0o755)
    (place / "BUILD.md").write_text(build_notes(graph, options, plan), encoding="utf-8")
    return models


def profile(graph: UNetGraph, options: RepositoryOptions) -> dict[str, str]:
    """Shapes that the plan takes: "min", "opt" (tuned for) and "max", as trtexec reads them.

    Rows 1 to max_rows, tuned for 8; sides from half to one and a half of the model's own; ranks from the
    least step to max_rank, tuned for 16 in the attention, which identity adapters change, for none elsewhere.
    """
    side, least, most = options.side_cells, max(8, options.side_cells // 2), options.side_cells * 3 // 2
    rows = {"min": 1, "opt": min(8, options.max_rows), "max": options.max_rows}
    sides = {"min": least, "opt": side, "max": most}
    most_rank = -(-options.max_rank // RANK_STEP) * RANK_STEP
    shapes: dict[str, str] = {}
    for edge in ("min", "opt", "max"):
        parts = []
        for name, dims in graph_dims(graph).items():
            usual = 16 if name == "lora_attention" else RANK_STEP
            rank = {"min": RANK_STEP, "opt": min(usual, most_rank), "max": most_rank}[edge]
            free = {"latents": sides[edge], "context": options.context_tokens}.get(name, rank)
            sizes = [rows[edge], *(free if size == -1 else size for size in dims)]
            parts.append(f"{name}:{'x'.join(map(str, sizes))}")
        shapes[edge] = ",".join(parts)
    return shapes


def build_script(graph: UNetGraph, options: RepositoryOptions, plan: str) -> str:
    """build.sh: makes the plan with trtexec."""
    shapes = profile(graph, options)
    return f"""#!/usr/bin/env bash
# Builds the TensorRT plan of this repository on the GPU that will serve it. Not run where it was written.
# In the container that serves it, so that the versions agree:
#     docker run --rm --gpus all -v "$PWD":/export -w /export {_IMAGE} ./build.sh
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"
exec "${{TRTEXEC:-{_TRTEXEC}}}" \\
    --onnx=graph/{graph.file.name} \\
    --saveEngine=models/{plan}/1/model.plan \\
    --fp16 \\
    --builderOptimizationLevel=4 \\
    --timingCacheFile=timing.cache \\
    --skipInference \\
    --minShapes={shapes["min"]} \\
    --optShapes={shapes["opt"]} \\
    --maxShapes={shapes["max"]} \\
    "$@"
"""


def build_notes(graph: UNetGraph, options: RepositoryOptions, plan: str) -> str:
    """BUILD.md."""
    widths = ", ".join(f"{name} {width}" for name, width in graph.layout.widths.items())
    bank_bytes = 4 * (1 + options.rank_rows) * sum(graph.layout.widths.values())
    tokens, most = options.context_tokens, options.max_rank
    return f"""# {options.name} on TensorRT

**Not run where it was written: no GPU there.** What did run: this repository's front model, its adapter bank
and its call of a second model, on Triton 2.51 on a CPU, with the graph on ONNX Runtime as the second model.

    docker run --rm --gpus all -v "$PWD":/export -w /export {_IMAGE} ./build.sh
    docker run --rm --gpus all --shm-size 1g -p 8001:8001 -v "$PWD":/export {_IMAGE} \\
        bash -c 'pip install torch && tritonserver --model-repository /export/models'
    LIKENESS_DIFFUSION_BACKEND=triton LIKENESS_DIFFUSION_TRITON_TARGET=HOST:8001 likeness serve

The front model needs torch, for its tensors on the GPU; nothing of this project has to be installed there.

| part | what it is |
|---|---|
| models/{options.name} | what clients call: keeps adapters on the GPU, gathers a batch's, calls the plan |
| models/{plan} | the plan; `build.sh` writes 1/model.plan |
| graph/ | the ONNX graph, digest {graph.digest[:12]} |

The packed adapters are inputs of the plan, {widths} columns,
so each row of a batch may carry another one: nothing is ever refitted, and no weights of one person can stay
behind for the next.

Profile: 1 to {options.max_rows} rows, ranks {RANK_STEP} to {most} per packed input, {tokens} tokens.
The bank takes {bank_bytes >> 20} MiB of GPU memory: {options.rank_rows} ranks per input (`--rank-rows`).
float16 inside, float32 at the border; leave out `--fp16` in build.sh to compare. A plan is for one version of
TensorRT and one kind of GPU; a new export needs a new plan.
"""
