"""Identity of a base model: which weights an adapter was trained against."""

import hashlib
from functools import lru_cache
from pathlib import Path

from shared.sdmodels.folder import ModelFolder, weight_files

_BLOCK_BYTES = 1 << 20


def base_model_digest(folder: ModelFolder) -> str:
    """Lower-case hex SHA-256 over the bytes of the UNet's safetensors files in name order.

    The same weights stored in another precision have another digest. Cached until a file's size or
    modification time changes.
    """
    files = weight_files(folder.path / "unet")
    stamps = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _digest_of(stamps)


@lru_cache(maxsize=32)
def _digest_of(stamps: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for name, _, _ in stamps:
        with Path(name).open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
