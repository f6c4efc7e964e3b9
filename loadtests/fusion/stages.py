"""Times of everything that is done to one candidate, stage by stage."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import cv2
import grpc
import numpy as np
from likeness.common.v1 import image_pb2
from likeness.face_analysis.v1 import face_analysis_pb2 as analysis_pb
from likeness.fusion.v1 import fusion_pb2 as pb
from numpy.typing import NDArray

from loadtests.common.services import Reader, Seen, Services
from loadtests.fusion.chain import five_points_only, fuse_request
from loadtests.fusion.inside import Spans, stage_seconds
from services.face_analysis.adapters.attributes_onnx import OnnxAttributeModel
from services.face_analysis.adapters.dlib_backend import DlibBackend
from services.face_analysis.adapters.marks_onnx import OnnxMarkModel
from services.face_analysis.adapters.quality_onnx import OnnxQualityModel
from services.face_analysis.adapters.structure_onnx import OnnxStructureModel
from services.orchestrator.domain.styles import FusionStrength
from shared.images import decode_image, encode_png

_INSIDE = (
    (DlibBackend, "detect", "find the face (dlib)"),
    (DlibBackend, "embed", "embedding (dlib)"),
    (OnnxStructureModel, "read", "structure net: landmarks and parts"),
    (OnnxMarkModel, "find", "marks net"),
    (OnnxQualityModel, "judge", "quality net"),
    (OnnxAttributeModel, "guess", "attributes net"),
)
_WARM_UP = 2


@dataclass(frozen=True, eq=False)
class Case:
    """A candidate with the photos of the person, all read."""

    candidate: Seen
    references: Sequence[Seen]


class Bench:
    """Times calls of the stubs: the whole call, and the stage inside that the service itself times."""

    def __init__(self, services: Services, strength: FusionStrength) -> None:
        self._services, self._strength = services, strength
        self.ms: dict[str, list[float]] = defaultdict(list)
        self.problems: dict[str, str] = {}

    def run(self, cases: Sequence[Case], repeats: int) -> None:
        """Times every stage *repeats* times for each case, in turn; two rounds before are not counted."""
        for round_number in range(_WARM_UP + repeats):
            if round_number == _WARM_UP:
                self.ms.clear()
            for case in cases:
                self._stages(case)
                self._peers(case)
                self._around(case)

    def inside_analysis(self, pictures: Sequence[bytes], repeats: int) -> None:
        """Times the parts of face analysis, over pictures that are read anew each time."""
        spans = Spans()
        with ExitStack() as stack:
            for owner, method, name in _INSIDE:
                stack.enter_context(spans.around(owner, method, name))
            for round_number in range(_WARM_UP + repeats):
                if round_number == _WARM_UP:
                    spans.ms.clear()
                Reader(self._services).read(pictures, marks=True)
        self.ms.update(spans.ms)

    def _stages(self, case: Case) -> None:
        fusion, photos = self._services.fusion, [photo.faced() for photo in case.references]
        fuse = fuse_request(case.candidate, case.references, self._strength)
        fused = self._call("fuse", lambda: fusion.Fuse(fuse))
        picture = Seen(fused.image.data if fused else case.candidate.data, case.candidate.faces)
        texture = pb.RestoreTextureRequest(candidate=picture.faced(), references=photos)
        self._call("restore_texture", lambda: fusion.RestoreTexture(texture))
        marks = pb.RestoreMarksRequest(candidate=picture.faced(), references=photos)
        self._call("restore_marks", lambda: fusion.RestoreMarks(marks))
        image = image_pb2.Image(data=picture.data)
        rank = pb.RankRequest(
            candidates=[pb.RankedInput(candidate_id="0", faces=picture.faces, image=image)],
            references=[photo.faces[0].comparison_embedding for photo in case.references],
        )
        self._call("rank", lambda: fusion.Rank(rank))
        self._call("enhance", lambda: fusion.Enhance(pb.EnhanceRequest(image=image)))
        upscale = pb.EnhanceRequest(image=image, scale=2, strength=0.0)
        self._call("enhance", lambda: fusion.Enhance(upscale), shown="upscale")

    def _peers(self, case: Case) -> None:
        old = self._strength.model_copy(
            update={"warp": "similarity", "regions": {"eyes": 1.0, "skin": 1.0, "lips": 1.0}}
        )
        templates = [five_points_only(photo) for photo in case.references]
        request = fuse_request(five_points_only(case.candidate), templates, old)
        self._call("fuse", lambda: self._services.fusion.Fuse(request), shown="fuse, five points (as it was)")
        pictures = [decode_image(seen.data, name="p") for seen in (case.references[0], case.candidate)]
        self._time(
            "OpenCV warp and seamlessClone alone",
            lambda: seamless_clone(pictures[0], case.references[0], pictures[1], case.candidate),
        )

    def _around(self, case: Case) -> None:
        image = decode_image(case.candidate.data, name="candidate")
        self._time("PNG decode", lambda: decode_image(case.candidate.data, name="candidate"))
        self._time("PNG encode", lambda: encode_png(image))
        empty = analysis_pb.GetBackendRequest()
        self._time("gRPC round trip", lambda: self._services.faces.GetBackend(empty))

    def _call(self, stage: str, act: Callable[[], Any], *, shown: str = "") -> Any | None:
        shown = shown or stage
        before_s = stage_seconds("fusion", stage)
        began_s = time.perf_counter()
        try:
            answer = act()
        except grpc.RpcError as error:
            self.problems[shown] = f"{error.code().name}: {error.details()}"
            return None
        self.ms[f"{shown}, whole call"].append(1000 * (time.perf_counter() - began_s))
        self.ms[shown].append(1000 * (stage_seconds("fusion", stage) - before_s))
        return answer

    def _time(self, name: str, act: Callable[[], Any]) -> None:
        began_s = time.perf_counter()
        act()
        self.ms[name].append(1000 * (time.perf_counter() - began_s))


def seamless_clone(
    template: NDArray[np.uint8], template_seen: Seen, candidate: NDArray[np.uint8], candidate_seen: Seen
) -> NDArray[np.uint8]:
    """Puts one face into another picture as tutorials do: five points, an ellipse, OpenCV's Poisson blend."""
    source, target = (_five_points(seen) for seen in (template_seen, candidate_seen))
    matrix, _ = cv2.estimateAffinePartial2D(source, target, method=cv2.LMEDS)
    height, width = candidate.shape[:2]
    warped = cv2.warpAffine(template, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    box = candidate_seen.faces[0].box
    centre = (int((box.x0 + box.x1) / 2), int((box.y0 + box.y1) / 2))
    axes = (int(0.4 * (box.x1 - box.x0)), int(0.45 * (box.y1 - box.y0)))
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)
    return np.asarray(cv2.seamlessClone(warped, candidate, mask, centre, cv2.NORMAL_CLONE), np.uint8)


def _five_points(seen: Seen) -> NDArray[np.float32]:
    marks = seen.faces[0].landmarks
    points = (marks.left_eye, marks.right_eye, marks.nose, marks.mouth_left, marks.mouth_right)
    return np.array([(point.x, point.y) for point in points], np.float32)


def summary(ms: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Returns median and 95th percentile of each stage, in milliseconds, with the number of measurements."""
    return {
        name: {
            "p50": float(np.median(values)),
            "p95": float(np.percentile(values, 95)),
            "count": len(values),
        }
        for name, values in ms.items()
        if values
    }
