"""Puts the trained parts into one model folder in half precision, in the layout of diffusers pipelines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from starter.models.generator import Generator
from starter.models.identity import identity_state, is_identity_key
from starter.models.unet import sampling_schedule
from starter.models.vae import FoldedAutoencoder
from starter.train.generator import RECIPE, prepare
from starter.train.loop import Trainer

WEIGHTS = Path(__file__).parent / "weights"
"""The packed folder that the repository ships."""
SMALL_NETS = (
    "attributes", "structure", "parser", "marks", "quality", "enhancer", "upscaler", "embedder", "scene",
)  # fmt: skip
"""Packed where they have been trained: folders of an ONNX file and its card."""
SIZE_LIMIT_MB = 120
_PARTS = {
    "vae": ["diffusers", "AutoencoderDC"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
}


def _write_unet(model: Generator, folder: Path) -> None:
    """The UNet without its identity layers, as diffusers saves it."""
    folder.mkdir(parents=True)
    # Loading an adapter marks the configuration; a plain UNet must not carry the mark.
    config = {**json.loads(model.unet.to_json_string()), "encoder_hid_dim_type": None}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    state = {k: v.half().contiguous() for k, v in model.unet.state_dict().items() if not is_identity_key(k)}
    save_file(state, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})


def _write_tokenizer(source: Path, folder: Path) -> None:
    """The tokenizer in both forms: one `tokenizer.json`, and CLIP's `vocab.json` with `merges.txt`."""
    shutil.copytree(source, folder)
    model = json.loads((source / "tokenizer.json").read_text())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False))
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")


def write_pipeline(model: Generator, vae: FoldedAutoencoder, tokenizer: Path, folder: Path) -> None:
    """Write `vae/ unet/ text_encoder/ tokenizer/ scheduler/`, the adapter file and `model_index.json`."""
    vae.network.half()
    vae.save(folder / "vae")
    _write_unet(model, folder / "unet")
    model.text_encoder.half().save_pretrained(folder / "text_encoder")
    _write_tokenizer(tokenizer, folder / "tokenizer")
    sampling_schedule().save_pretrained(folder / "scheduler")
    adapter = {key: value.half().contiguous() for key, value in identity_state(model.unet).items()}
    save_file(adapter, folder / "ip_adapter.safetensors", {"format": "pt"})
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        **_PARTS,
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "safety_checker": [None, None],
        "requires_safety_checker": False,
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")


def folder_sizes_mb(folder: Path) -> dict[str, float]:
    """Size of each top-level entry of `folder` in MB, with their sum as "total"."""
    sizes = {
        entry.name: sum(f.stat().st_size for f in [entry, *entry.rglob("*")] if f.is_file()) / 1e6
        for entry in sorted(folder.iterdir())
    }
    return sizes | {"total": sum(sizes.values())}


def _swap_in(new: Path, weights: Path) -> None:
    """Move every entry of `new` into `weights`; what `new` does not have stays."""
    weights.mkdir(parents=True, exist_ok=True)
    for file in new.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    for entry in sorted(new.iterdir()):
        target, old = weights / entry.name, new / f".old-{entry.name}"
        if target.exists():
            target.rename(old)
        entry.rename(target)
    shutil.rmtree(new)


def newest_autoencoder(runs: Path) -> FoldedAutoencoder:
    """The autoencoder, with the decoder that was trained longer if there is one."""
    better, first = runs / "decoder" / "model", runs / "vae" / "model"
    return FoldedAutoencoder.load(better if better.exists() else first)


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_generator(data: Path, runs: Path, folder: Path) -> None:
    """Write the averaged weights of the generator in `runs`, with all that it needs, as a model folder.

    Raises: FileNotFoundError if there is no checkpoint.
    """
    model, _ = prepare(data, runs)
    trainer = Trainer(model, RECIPE, runs / "generator")
    if not trainer.resume():
        raise FileNotFoundError(
            f"No checkpoint in {runs}/generator; run `python -m starter train generator`."
        )
    trainer.load_average()
    new = _emptied(folder.with_name(f".{folder.name}-new"))
    with torch.no_grad():
        write_pipeline(model, newest_autoencoder(runs), runs / "text" / "tokenizer", new)
    _swap_in(new, folder)


def pack(data: Path, runs: Path, weights: Path) -> dict[str, float]:
    """Pack the averaged weights of `runs` into `weights`; returns the sizes in MB.

    Everything is written beside `weights` first and then renamed entry by entry. Adapters are added by
    `starter.packed_adapters`, as they are trained on what is packed here.
    """
    write_generator(data, runs, weights)
    pack_nets(runs, weights)
    return folder_sizes_mb(weights)


def pack_nets(runs: Path, weights: Path) -> list[str]:
    """Put the small nets that `runs` has trained into `weights`; returns their names. Others stay."""
    found = [net for net in SMALL_NETS if (runs / net / "model").exists()]
    nets = _emptied(weights.with_name(f".{weights.name}-nets"))
    for net in found:
        shutil.copytree(runs / net / "model", nets / net)
    _swap_in(nets, weights)
    return found
