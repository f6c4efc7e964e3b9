"""Styles from a folder of YAML files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError

from services.orchestrator.domain.styles import Style
from services.orchestrator.errors import UnknownStyle


@dataclass(frozen=True)
class LoadedStyle:
    """A style with the digest of its file (SHA-256, hexadecimal) and its preview, PNG, if it has one."""

    style: Style
    sha256: str
    preview: bytes | None


class StyleFolder:
    """The styles of a folder, read once; a file that does not fit the schema stops the start."""

    def __init__(self, folder: Path) -> None:
        """Read all ``*.yaml`` files.

        Raises:
            ValueError: A file does not fit the schema, names another style than its file, or there is no
            file.
        """
        loaded = [_load(path) for path in sorted(folder.glob("*.yaml"))]
        if not loaded:
            raise ValueError(f"no style in {folder}")
        self._styles = {f"styles/{item.style.name}": item for item in loaded}

    def get(self, name: str) -> LoadedStyle:
        """Return a style by its resource name, "styles/{id}".

        Raises:
            UnknownStyle: There is none of that name.
        """
        if (found := self._styles.get(name)) is None:
            raise UnknownStyle(style=name, known=", ".join(self._styles))
        return found

    def all(self) -> list[LoadedStyle]:
        """Return all styles by name."""
        return list(self._styles.values())


def _load(path: Path) -> LoadedStyle:
    data = path.read_bytes()
    try:
        style = Style.model_validate(yaml.safe_load(data))
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"style {path}: {error}") from error
    if style.name != path.stem:
        raise ValueError(f"style {path}: its name is {style.name!r}; it must be that of the file")
    preview = path.parent / style.preview if style.preview else None
    return LoadedStyle(
        style, hashlib.sha256(data).hexdigest(), preview.read_bytes() if preview is not None else None
    )
