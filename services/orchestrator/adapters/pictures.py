"""The port `PictureTools` over Pillow."""

import io

import numpy as np
from PIL import Image

from services.orchestrator.domain.faces import Face, Picture
from services.orchestrator.domain.ports import ReferenceCrop
from shared.images import decode_image, encode_jpeg, encode_png

# Longer side in pixels that a reference keeps: faces in it stay well above what any backend reads.
_MAX_REFERENCE_PX = 1024
# Side of the crop in sizes of the face: hair, shoulders and the margin that fusion blends over.
_CROP_FACES = 3.0
_THUMBNAIL_PX = 192
_THUMBNAIL_LIMIT_BYTES = 64 * 1024


class PillowTools:
    """Crops and thumbnails."""

    def reference_crop(self, photo: Picture, face: Face, rotation_degrees: int) -> ReferenceCrop:
        """See the port."""
        rgb = decode_image(photo.data, name=photo.name)
        # The shared decoder has applied EXIF; face analysis may have turned the picture further, clockwise.
        upright = np.ascontiguousarray(np.rot90(rgb, k=-(rotation_degrees // 90)))
        height, width = upright.shape[:2]
        if max(width, height) <= _MAX_REFERENCE_PX:
            return ReferenceCrop(encode_png(upright), "image/png", 0.0, 0.0, 1.0)
        x0, y0, x1, y1 = face.box_px
        side = max(_CROP_FACES * max(x1 - x0, y1 - y0), 1.0)
        left = max(0, round((x0 + x1 - side) / 2))
        top = max(0, round((y0 + y1 - side) / 2))
        right = min(width, max(left + 1, round((x0 + x1 + side) / 2)))
        bottom = min(height, max(top + 1, round((y0 + y1 + side) / 2)))
        crop = Image.fromarray(upright[top:bottom, left:right])
        scale = min(1.0, _MAX_REFERENCE_PX / max(crop.size))
        size = (max(1, round(crop.width * scale)), max(1, round(crop.height * scale)))
        scaled = np.asarray(crop.resize(size, Image.Resampling.LANCZOS))
        return ReferenceCrop(encode_png(scaled), "image/png", float(left), float(top), scale)

    def enlarge(self, data: bytes, factor: int) -> bytes:
        """See the port."""
        with Image.open(io.BytesIO(data)) as image:
            rgb = image.convert("RGB")
        size = (factor * rgb.width, factor * rgb.height)
        return encode_png(np.asarray(rgb.resize(size, Image.Resampling.LANCZOS)))

    def thumbnail(self, data: bytes) -> bytes:
        """See the port."""
        with Image.open(io.BytesIO(data)) as image:
            rgb = image.convert("RGB")
        rgb.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.LANCZOS)
        jpeg = encode_jpeg(np.asarray(rgb), quality=85)
        # 192 x 192 pixels at this quality stay under 64 KiB except for noise, which a lower quality tames.
        return jpeg if len(jpeg) <= _THUMBNAIL_LIMIT_BYTES else encode_jpeg(np.asarray(rgb), quality=30)
