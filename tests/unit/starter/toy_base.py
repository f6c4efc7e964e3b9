"""A packed model folder at toy size, and pictures in two looks to train adapters on."""

import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from starter.data.captions import tokenizer_corpus
from starter.models.generator import Generator
from starter.models.identity import attach_identity
from starter.models.text import build_text_encoder, build_tokenizer
from starter.models.unet import build_unet
from starter.models.vae import FoldedAutoencoder, build_autoencoder
from starter.pack import write_pipeline
from tests.unit.starter.samples import make_sample, write_data_set


def make_generator(seed: int = 0) -> Generator:
    """An untrained generator."""
    tokenizer = build_tokenizer(tokenizer_corpus([make_sample()]))
    torch.manual_seed(seed)
    unet = build_unet((32, 32, 32))
    population = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, (20, 128)).astype(np.float32))
    attach_identity(unet, population)
    return Generator(tokenizer, build_text_encoder(tokenizer), unet).eval()


def make_base(folder: Path, seed: int = 0) -> tuple[Generator, Path]:
    """The generator and the folder that it was packed into."""
    model = make_generator(seed)
    model.tokenizer.save_pretrained(folder / "source")
    vae = FoldedAutoencoder(build_autoencoder((32, 32, 32), (32, 32, 32)))
    weights = folder / "weights"
    weights.mkdir()
    write_pipeline(model, vae, folder / "source", weights)
    return model, weights


def make_looks(folder: Path, looks: tuple[str, ...]) -> Path:
    """The data set of `write_data_set` with further looks of each picture, each of one brightness."""
    write_data_set(folder)
    records = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for record in records:
        record["looks"] = {"render": record["file"]}
        for number, look in enumerate(looks):
            record["looks"][look] = str(Path(record["file"]).with_suffix(f".{look}.jpg"))
            flat = np.full((256, 256, 3), 40 * (number + 1), np.uint8)
            Image.fromarray(flat).save(folder / record["looks"][look])
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(record) for record in records) + "\n")
    return folder
