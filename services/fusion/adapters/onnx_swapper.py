"""A learned face swapper in an ONNX file, of the interface of insightface's inswapper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from services.fusion.adapters.face_masks import build_mask
from services.fusion.adapters.face_warp import Meeting, affine_map
from services.fusion.adapters.joining import box_mask_share, join, moved, work_box
from services.fusion.adapters.region_weights import weight_map
from services.fusion.domain.face import Face, FloatArray, Image
from services.fusion.domain.fusing import FuseOptions, Template, WarpMode
from services.fusion.domain.geometry import Matrix, invert, similarity_transform
from services.fusion.domain.ports import Swapped
from shared.errors.common import FieldInvalid, ModelMissing
from shared.threads import ort_session_options

_LICENCE = "that of the model you choose; insightface's inswapper is for non-commercial research only"
# The five places of ArcFace's aligned crop of 112 px; a crop of 128 px has 8 px more on either side.
_PLACES = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)],
    np.float32,
)


class OnnxSwapper:
    """Runs one net: (1, 3, S, S) aligned face, (1, D) identity -> (1, 3, S, S) face of that identity.

    Pictures are RGB in [0, 1], aligned as ArcFace's. The identity is the unit embedding of the template times
    the matrix that the file carries as its last initializer, at unit length, as insightface's
    `model_zoo/inswapper.py` does it. The result is pasted with the masks, weights and blending of the
    embedded fusion; pose, expression and light are the net's affair.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """Open the file; *threads* of one operator, None is all cores.

        Raises:
            ModelMissing: there is no such file.
            ValueError: it is no swapper of this interface.
        """
        if not path.is_file():
            raise ModelMissing(file=path, licence=_LICENCE, command="copy the file there")
        import onnxruntime

        self.name = path.name
        self._to_latent = _last_initializer(path)
        self._session: Any = onnxruntime.InferenceSession(
            str(path), ort_session_options(threads), providers=["CPUExecutionProvider"]
        )
        inputs = {len(entry.shape): entry for entry in self._session.get_inputs()}
        if set(inputs) != {2, 4} or len(self._session.get_inputs()) != 2:
            raise ValueError(f"{path} is no face swapper: it needs a picture and a latent")
        self._picture, self._latent = inputs[4].name, inputs[2].name
        side, width = inputs[4].shape[-1], inputs[2].shape[-1]
        if not isinstance(side, int) or side < 112 or width != self._to_latent.shape[1]:
            raise ValueError(f"{path} is no face swapper: its picture or its latent has another size")
        self._side_px = side

    def swap(self, image: Image, face: Face, template: Template, options: FuseOptions) -> Swapped:
        """See `FaceSwapper.swap`.

        The warp that is asked for does not apply and is reported as SIMILARITY.

        Raises:
            FieldInvalid: the template has no embedding, or one of another size than the net takes.
        """
        latent = self._identity(template)
        transform = similarity_transform(template.face.landmarks5, face.landmarks5)
        x0, y0, x1, y1 = box = work_box(face, image)
        crop = image[y0:y1, x0:x1]
        if options.strength <= 0 or crop.size == 0:
            return Swapped(image.copy(), transform, (x0, y0, x0, y0), 0.0, WarpMode.SIMILARITY)
        local = moved(face, np.array([x0, y0], np.float32))
        shape = crop.shape[0], crop.shape[1]
        aligned = similarity_transform(_places(self._side_px), local.landmarks5)
        made = self._run(crop, aligned, latent)
        # The net's picture covers all of its square; it knows of no hair but the candidate's own.
        meeting = Meeting(affine_map(invert(aligned), shape))
        given = Template(template.name, made, Face((0, 0, *made.shape[1::-1]), _places(self._side_px)))
        mask = build_mask(local, given, aligned, meeting, shape)
        places = local.dense.points.astype(np.float64) if local.dense is not None else None
        alpha = mask.inside * weight_map(local, places, shape, options.weights) * options.strength
        out = image.copy()
        out[y0:y1, x0:x1] = join(_sampled(made, aligned, shape), crop, alpha, mask, options)
        return Swapped(out, transform, box, box_mask_share(alpha, image), WarpMode.SIMILARITY)

    def _identity(self, template: Template) -> FloatArray:
        embedding, needed = template.face.identity_embedding, self._to_latent.shape[0]
        if embedding.size != needed:
            problem = (
                f"{template.name} has {embedding.size} numbers and {self.name} takes {needed}: analyse the "
                "photos with the embedder that it was made for"
            )
            raise FieldInvalid(field="templates.faces.embedding", problem=problem)
        latent = embedding @ self._to_latent
        return np.asarray(latent / max(float(np.linalg.norm(latent)), 1e-9), np.float32)[None]

    def _run(self, crop: Image, aligned: Matrix, latent: FloatArray) -> Image:
        side = self._side_px
        face = cv2.warpAffine(crop, aligned, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        picture = np.ascontiguousarray(face.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        made = self._session.run(None, {self._picture: picture, self._latent: latent})[0]
        if made.shape != picture.shape or not np.isfinite(made).all():
            raise ValueError(f"{self.name} answered {made.shape}, or numbers that are not finite")
        return np.asarray(np.clip(made[0].transpose(1, 2, 0) * 255 + 0.5, 0, 255), np.uint8)


def _sampled(made: Image, aligned: Matrix, shape: tuple[int, int]) -> Image:
    size = (shape[1], shape[0])
    flags, border = cv2.INTER_CUBIC, cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(made, aligned, size, flags=flags, borderMode=border), np.uint8)


def _places(side_px: int) -> FloatArray:
    """Where ArcFace's alignment puts the five landmarks in a crop of *side_px*."""
    if side_px % 112 == 0:
        return np.asarray(_PLACES * (side_px / 112), np.float32)
    return np.asarray((_PLACES + np.array([8, 0])) * (side_px / 128), np.float32)


def _last_initializer(path: Path) -> FloatArray:
    """The matrix (D, L) from embeddings to latents.

    Raises:
        ValueError: the file's last initializer is no matrix.
    """
    import onnx
    from onnx import numpy_helper

    stored = onnx.load(str(path)).graph.initializer
    matrix = numpy_helper.to_array(stored[-1]) if len(stored) else np.zeros(0)
    if matrix.ndim != 2:
        raise ValueError(f"{path} is no face swapper: its last initializer is no matrix")
    return np.asarray(matrix, np.float32)
