"""Many pictures on one sheet, to judge a run at a glance."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from starter.heads.arrays import Image


def contact_sheet(pictures: Sequence[Image], columns: int, cell_px: int = 128) -> Image:
    """Tile RGB pictures row by row, scaled to `cell_px`; missing cells stay black. At least one picture."""
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * cell_px, columns * cell_px, 3), np.uint8)
    for place, picture in enumerate(pictures):
        y, x = (place // columns) * cell_px, (place % columns) * cell_px
        cell = cv2.resize(picture, (cell_px, cell_px), interpolation=cv2.INTER_AREA)
        sheet[y : y + cell_px, x : x + cell_px] = cell
    return sheet


def sheet_of_files(files: Sequence[Path], columns: int, destination: Path) -> None:
    """Read picture files and write their contact sheet as PNG."""
    pictures = [np.asarray(cv2.imread(str(file)), np.uint8)[:, :, ::-1] for file in files]
    cv2.imwrite(str(destination), contact_sheet(pictures, columns)[:, :, ::-1])
