"""Installed models are folders; each is loaded once, on first use."""

import dataclasses
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.diffusion.adapters.adapter_cache import AdapterCache
from services.diffusion.adapters.clip_text import ClipText, XlText
from services.diffusion.adapters.control_net import load_control_net
from services.diffusion.adapters.face_parser import FaceParser, ParsedRegion
from services.diffusion.adapters.ip_adapter import FaceIdProjection, read_ip_adapter
from services.diffusion.adapters.latent_difference import LatentDifference
from services.diffusion.adapters.lora_files import LoraRules
from services.diffusion.adapters.samplers import DiffusersSamplers
from services.diffusion.adapters.unet_backends import DEFAULT_UNET, UNetOptions, open_unet
from services.diffusion.adapters.vae_codec import VaeCodec
from services.diffusion.domain.model import Closing, Model, ModelInfo
from services.diffusion.domain.ports import RegionFinder
from services.diffusion.errors import CapabilityUnavailable, ModelMissing, UnknownModel
from shared.artifacts import ArtifactStore
from shared.sdmodels import (
    ModelFileMissing,
    ModelFolder,
    ModelUnsupported,
    base_model_digest,
    load_text_encoder,
    load_tokenizer,
    load_vae,
    open_model_folder,
    scheduler_config,
)
from shared.sdmodels.folder import read_json


@dataclass(frozen=True)
class AdapterLimits:
    """Bounds of the adapter cache of one model."""

    max_rank: int
    cache_bytes: int


class ModelFolders:
    """Stable Diffusion folders by model name, the first one being the default. Thread-safe."""

    def __init__(
        self,
        folders: Mapping[str, Path],
        store: ArtifactStore,
        limits: AdapterLimits,
        unet: UNetOptions = DEFAULT_UNET,
    ) -> None:
        self._folders = folders
        self._store = store
        self._limits = limits
        self._unet = unet
        self._lock = threading.Lock()
        self._loaded: dict[str, Model] = {}

    def names(self) -> Sequence[str]:
        """Names in the order of the settings."""
        return tuple(self._folders)

    def load(self, name: str) -> Model:
        """See ModelStore. One load at a time: two would double the peak of memory."""
        name = name or self.names()[0]
        path = self._folders.get(name)
        if path is None:
            raise UnknownModel(model=name, known=", ".join(self._folders))
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._open(name, path)
            return self._loaded[name]

    def close(self) -> None:
        """Close the connections of backends that have one."""
        with self._lock:
            for model in self._loaded.values():
                if isinstance(model.unet, Closing):
                    model.unet.close()

    def _open(self, name: str, path: Path) -> Model:
        try:
            return load_model(name, open_model_folder(path), self._store, self._limits, self._unet)
        except ModelFileMissing as error:
            raise ModelMissing(
                file=error.file,
                licence=_licence(path),
                command="git checkout -- starter/weights (starter pack), or name another diffusers folder in "
                "LIKENESS_DIFFUSION_MODELS",
            ) from error
        except ModelUnsupported as error:
            raise CapabilityUnavailable(
                capability=f"run the model {name} ({error.what})",
                needed="a Stable Diffusion 1, 2 or XL folder in LIKENESS_DIFFUSION_MODELS",
            ) from error


def load_model(
    name: str,
    folder: ModelFolder,
    store: ArtifactStore,
    limits: AdapterLimits,
    unet_options: UNetOptions = DEFAULT_UNET,
) -> Model:
    """Load every component of a folder. Raises: ModelFileMissing, ModelUnsupported."""
    control_net = load_control_net(folder.path) if unet_options.backend in ("auto", "torch") else None
    triton = unet_options.triton.for_model(name)
    opened = open_unet(folder, dataclasses.replace(unet_options, triton=triton), control_net)
    unet = opened.backend
    text = _text(folder)
    digest = base_model_digest(folder)
    rules = LoraRules(opened.layer_shapes | text.layer_shapes, digest, limits.max_rank)
    side = folder.default_size_px
    codec = VaeCodec(load_vae(folder))
    return Model(
        info=ModelInfo(name, digest, (side, side), _licence(folder.path)),
        unet=unet,
        text=text,
        codec=codec,
        samplers=DiffusersSamplers(scheduler_config(folder)),
        adapters=AdapterCache(
            folder.path / "adapters", store, rules, limits.cache_bytes, model=name, holders=(unet, text)
        ),
        identity=_identity(folder),
        regions=_regions(folder, codec),
        supports_control=control_net is not None,
    )


def _identity(folder: ModelFolder) -> FaceIdProjection | None:
    return FaceIdProjection(read_ip_adapter(folder.ip_adapter_file)[0]) if folder.ip_adapter_file else None


def _regions(folder: ModelFolder, codec: VaeCodec) -> RegionFinder:
    """The folder's face parser; without one, the difference that the person makes."""
    difference = LatentDifference()
    if not (folder.path / "parser").is_dir():
        return difference
    return ParsedRegion(FaceParser(folder.path / "parser"), codec, difference)


def _text(folder: ModelFolder) -> ClipText | XlText:
    first = ClipText(load_tokenizer(folder), load_text_encoder(folder))
    if folder.family == "sd":
        return first
    second: Any = load_text_encoder(folder, "text_encoder_2")
    index = read_json(folder.path / "model_index.json")
    return XlText(
        first,
        ClipText(load_tokenizer(folder, "tokenizer_2"), second, "text_encoder_2"),
        zeros_for_empty=bool(index.get("force_zeros_for_empty_prompt", True)),
    )


def _licence(path: Path) -> str:
    """The folder's own word: `license:` in its model card (Hugging Face front matter) or its LICENSE file."""
    for name in ("README.md", "MODEL_CARD.md"):
        if (card := path / name).exists():
            stated = re.search(r"^license:\s*(.+)$", card.read_text(encoding="utf-8")[:4000], re.MULTILINE)
            if stated:
                return stated[1].strip()[:100]
    for name in ("LICENSE", "LICENSE.md", "LICENSE.txt"):
        if (file := path / name).exists():
            return next(iter(file.read_text(encoding="utf-8").strip().splitlines()), "").strip("# ")[:100]
    return "not stated in the model's folder"
