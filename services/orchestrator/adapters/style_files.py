"""Styles from a folder of YAML files, in sub-folders by group."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError

from services.orchestrator.domain.portrait import DEFAULT_STYLE
from services.orchestrator.domain.style_sheets import StyleGroup, whole_style
from services.orchestrator.domain.styles import Style
from services.orchestrator.errors import UnknownStyle

DEFAULTS_FILE, GROUP_FILE = "_defaults.yaml", "_group.yaml"
PREVIEWS_FOLDER, PREVIEWS_INDEX = "previews", "index.json"
_NAMED_IN_ERRORS = 8


@dataclass(frozen=True)
class LoadedStyle:
    """A style with the title of its group, and its preview (PNG, JPEG or WebP) if it has one."""

    style: Style
    group_title: str
    preview: bytes | None

    @property
    def sha256(self) -> str:
        """SHA-256, hexadecimal, of what the style says."""
        return self.style.sha256


class StyleFolder:
    """The styles of a folder, read once; a file that does not fit the schema stops the start."""

    def __init__(self, folder: Path) -> None:
        """Read ``*.yaml`` of the folder and of its sub-folders, each of which is a group.

        Raises:
            ValueError: A file does not fit the schema, names another style than its file, a name comes twice,
            or there is no style.
        """
        loaded = list(_read(folder))
        if not loaded:
            raise ValueError(f"no style in {folder}")
        self._styles: dict[str, LoadedStyle] = {}
        for item in loaded:
            name = f"styles/{item.style.name}"
            if name in self._styles:
                raise ValueError(f"{name} comes twice in {folder}: a name is unique across groups")
            self._styles[name] = item

    def get(self, name: str) -> LoadedStyle:
        """Return a style by its resource name, "styles/{id}".

        Raises:
            UnknownStyle: There is none of that name; the most similar names are told.
        """
        if (found := self._styles.get(name)) is None:
            near = get_close_matches(name, self._styles, n=_NAMED_IN_ERRORS, cutoff=0.0)
            named = dict.fromkeys([*(style for style in [DEFAULT_STYLE] if style in self._styles), *near])
            more = len(self._styles) - len(named)
            raise UnknownStyle(style=name, known=", ".join(named) + (f" and {more} more" if more else ""))
        return found

    def all(self) -> list[LoadedStyle]:
        """Return all styles, group by group, within one by name."""
        return list(self._styles.values())


def _read(folder: Path) -> Iterator[LoadedStyle]:
    defaults = _yaml(folder / DEFAULTS_FILE) if (folder / DEFAULTS_FILE).exists() else {}
    drawn = _Previews(folder / PREVIEWS_FOLDER)
    for path in _style_files(folder):
        yield _load(path, [defaults], StyleGroup(title="-"), "", drawn)
    groups = [(path, _group(path / GROUP_FILE)) for path in folder.iterdir() if any(_style_files(path))]
    for path, group in sorted(groups, key=lambda pair: (pair[1].order, pair[0].name)):
        for file in _style_files(path):
            yield _load(file, [defaults, group.defaults], group, path.name, drawn)


def _style_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("_"))


def _yaml(path: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        raise ValueError(f"style {path}: {error}") from error
    if not isinstance(said, Mapping):
        raise ValueError(f"style {path}: it must be a mapping")
    return dict(said)


def _group(path: Path) -> StyleGroup:
    if not path.exists():
        return StyleGroup(title=path.parent.name.replace("-", " ").capitalize())
    try:
        return StyleGroup.model_validate(_yaml(path))
    except ValidationError as error:
        raise ValueError(f"style group {path}: {error}") from error


def _load(
    path: Path, defaults: list[dict[str, Any]], group: StyleGroup, group_name: str, drawn: "_Previews"
) -> LoadedStyle:
    document = _yaml(path)
    try:
        style = whole_style(document, defaults, group_name)
    except ValueError as error:
        raise ValueError(f"style {path}: {error}") from error
    if style.name != path.stem:
        raise ValueError(f"style {path}: its name is {style.name!r}; it must be that of the file")
    preview = (path.parent / style.preview).read_bytes() if style.preview else drawn.of(style)
    return LoadedStyle(style, group.title if group_name else "", preview)


class _Previews:
    """Previews that `likeness styles render-previews` drew.

    Its index names file and style digest by style: a preview of what a style said before is not shown.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        index = folder / PREVIEWS_INDEX
        self._entries = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}

    def of(self, style: Style) -> bytes | None:
        entry = self._entries.get(style.name, {})
        if entry.get("style_sha256") != style.sha256:
            return None
        file = self._folder / str(entry["file"])
        return file.read_bytes() if file.exists() else None
