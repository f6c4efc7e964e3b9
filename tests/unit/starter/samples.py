"""A made-up sample and data set."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from starter.data.manifest import Sample, parse_record


def make_record(identity: int = 3, view: int = 0) -> dict[str, object]:
    embedding = np.random.default_rng(identity).normal(size=128)
    return {
        "identity": identity,
        "view": view,
        "file": f"{identity}/{view}.jpg",
        "parts": f"{identity}/{view}.png",
        "attributes": {
            "sex": "female",
            "age": "young",
            "skin": "tan",
            "hair_style": "bob",
            "hair_color": "brown",
            "eye_color": "hazel",
            "beard": "none",
            "glasses": "round",
            "freckles": False,
            "makeup": False,
        },
        "expression": "smile",
        "yaw": 0.0,
        "background": "teal",
        "clothes": {"color": "green", "pattern": "plain"},
        "light": "soft light",
        "landmarks_px": {"left_eye": [100, 110], "right_eye": [156, 110], "nose": [128, 140]},
        "box_px": [80, 80, 180, 180],
        "embedding": embedding.tolist(),
    }


def make_sample() -> Sample:
    return parse_record(make_record(), Path())


def write_data_set(folder: Path, identities: int = 2, views: int = 2) -> None:
    """Noise pictures of 256 px with flat part maps."""
    rng = np.random.default_rng(0)
    records = [make_record(identity, view) for identity in range(identities) for view in range(views)]
    for record in records:
        image = folder / str(record["file"])
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (256, 256, 3), np.uint8)).save(image)
        Image.fromarray(np.ones((128, 128), np.uint8)).save(folder / str(record["parts"]))
    (folder / "manifest.jsonl").write_text("\n".join(json.dumps(record) for record in records) + "\n")
