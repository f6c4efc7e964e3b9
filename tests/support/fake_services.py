"""The five services that the orchestrator calls, as scripted fakes: deterministic, fast, no model.

A picture carries its truth in its first pixels (see `picture`): how many faces, whose, whether it is sharp.
The fakes read it from there and write it on, so a whole portrait can be followed without any network.

`Script` records every call. Behaviour is changed by queueing: ``fakes.script.queue("Generate", error)``
answers the next call of that RPC with an error, or with what a function of the request returns;
`Script.check` fails if something that was queued was not used.
"""

import asyncio
import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from likeness.common.v1 import face_pb2, image_pb2, job_pb2
from likeness.diffusion.v1 import diffusion_pb2, diffusion_pb2_grpc
from likeness.face_analysis.v1 import face_analysis_pb2, face_analysis_pb2_grpc
from likeness.fusion.v1 import fusion_pb2, fusion_pb2_grpc
from likeness.lora_training.v1 import lora_training_pb2, lora_training_pb2_grpc
from likeness.stylization.v1 import stylization_pb2, stylization_pb2_grpc

from shared.artifacts import ArtifactStore
from shared.context import current_request
from shared.errors import LikenessError
from shared.images import decode_image, encode_png
from shared.server import Service
from shared.wire import read_bytes, read_image, to_refusal

DIMENSION = 8
GATE = 0.9
# How alike a picture is to its person, of 255: a photo, a generated picture, and a fused one.
PHOTO_LIKENESS, DRAWN_LIKENESS, FUSED_LIKENESS = 255, 100, 200
ALL_FEATURES = (face_analysis_pb2.FACE_FEATURE_STRUCTURE, face_analysis_pb2.FACE_FEATURE_MARKS)
MODEL_DIGEST = hashlib.sha256(b"fake model").hexdigest()
Handler = Callable[[Any], Any]


def picture(
    person: int,
    *,
    faces: int = 1,
    seed: int = 0,
    size_px: int = 64,
    sharp: bool = True,
    likeness: int = PHOTO_LIKENESS,
    judged: int = 80,
) -> bytes:
    """PNG of a "photo": noise by seed, the truth about its faces in the first pixels.

    ``likeness`` is of 255, ``judged`` (quality) of 100.
    """
    return encode_png(_marked(_noise([person, seed], size_px), person, faces, sharp, likeness, judged))


def _noise(seeds: list[int], size_px: int) -> np.ndarray:
    """Large grains: fine ones would make the encoding of PNG the slowest part of every test."""
    grains = np.random.default_rng(seeds).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    return np.kron(grains, np.ones((size_px // 16, size_px // 16, 1), np.uint8))


def _marked(
    rgb: np.ndarray,
    person: int,
    faces: int,
    sharp: bool = True,
    likeness: int = PHOTO_LIKENESS,
    judged: int = 80,
) -> np.ndarray:
    marked = rgb.copy()
    marked[0, :5] = np.array([faces, person, int(sharp), likeness, judged])[:, None]
    return marked


@dataclass
class Script:
    """Calls that were made, and answers that are to be given instead of the usual ones."""

    calls: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    # Where a test kills the process, only a file tells what it had been asked for.
    calls_file: Path | None = None
    _queued: dict[str, deque[LikenessError | Handler]] = field(default_factory=lambda: defaultdict(deque))

    def queue(self, rpc: str, *answers: LikenessError | Handler) -> None:
        """Answer the next calls of this RPC with an error, or with what a function of the request returns."""
        self._queued[rpc] += answers

    def take(self, rpc: str, request: Any) -> Any:
        """Record a call; return the queued answer, or None for the usual behaviour."""
        self.calls[rpc].append(request)
        if self.calls_file is not None:
            with self.calls_file.open("a") as file:
                file.write(f"{rpc}\n")
        if not self._queued[rpc]:
            return None
        answer = self._queued[rpc].popleft()
        if isinstance(answer, LikenessError):
            raise answer
        return answer(request)

    def check(self) -> None:
        """Fail if a queued answer was not used."""
        left = {rpc: len(answers) for rpc, answers in self._queued.items() if answers}
        assert left == {}, f"queued and not used: {left}"


@dataclass
class Fakes:
    """All five, with what they share."""

    store: ArtifactStore
    script: Script = field(default_factory=Script)
    step_s: float = 0.0
    step_count_trained: int = 4
    jobs_folder: Path | None = None
    cancelled: list[str] = field(default_factory=list)
    features: tuple[int, ...] = ALL_FEATURES
    embedder: str = "fake"
    comparison: str = "fake-fitted"
    unfamiliar_words: tuple[str, ...] = ()

    def services(self) -> list[Service]:
        """The services, ready for a server."""
        pairs = [
            (face_analysis_pb2, "FaceAnalysisService", face_analysis_pb2_grpc, FakeFaceAnalysis(self)),
            (diffusion_pb2, "DiffusionService", diffusion_pb2_grpc, FakeDiffusion(self)),
            (fusion_pb2, "FusionService", fusion_pb2_grpc, FakeFusion(self)),
            (stylization_pb2, "StylizationService", stylization_pb2_grpc, FakeStylization(self)),
            (lora_training_pb2, "LoraTrainingService", lora_training_pb2_grpc, FakeTraining(self)),
        ]
        return [
            Service(
                name=messages.DESCRIPTOR.services_by_name[name].full_name,
                add_to=lambda server, g=stubs, n=name, s=servicer: getattr(g, f"add_{n}Servicer_to_server")(
                    s, server
                ),
            )
            for messages, name, stubs, servicer in pairs
        ]

    async def rgb(self, image: image_pb2.Image) -> np.ndarray:
        """Read a picture of a request."""
        return await read_image(image, position="image", store=self.store)

    async def pause(self) -> None:
        """Take as long as a step is told to take."""
        await asyncio.sleep(self.step_s)


def _embedding(person: int, rgb: np.ndarray) -> np.ndarray:
    """The person's own direction, a little noise, and the further off the less alike the picture is."""
    digest = hashlib.sha256(rgb.tobytes()).digest()
    vector = np.frombuffer(digest[:DIMENSION], np.uint8).astype(np.float32) / 255 * 0.05
    vector[person % DIMENSION] += 1
    vector[(person + DIMENSION // 2) % DIMENSION] += 0.6 * (1 - rgb[0, 3, 0] / 255)
    return vector / np.linalg.norm(vector)


def _face(person: int, rgb: np.ndarray, fakes: Fakes, wanted: Sequence[int]) -> face_pb2.Face:
    face = _plain_face(person, rgb)
    vector = _embedding(person, rgb)
    face.embedding.CopyFrom(image_pb2.Embedding(values=vector, model=fakes.embedder))
    # Another order of the same numbers: whoever mixes the two up compares a person with somebody else.
    fitted = image_pb2.Embedding(values=np.roll(vector, 1), model=fakes.comparison)
    face.comparison_embedding.CopyFrom(fitted)
    if face_analysis_pb2.FACE_FEATURE_STRUCTURE in wanted:
        points = [image_pb2.Point(x=x, y=y) for x, y in ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10))]
        dense = face_pb2.DenseLandmarks(scheme="fake-5", points=points, visibility=[1] * 5)
        face.dense_landmarks.CopyFrom(dense)
    if face_analysis_pb2.FACE_FEATURE_MARKS in wanted:
        face.has_marks_searched = True
        face.marks.add(kind="mole", center=image_pb2.Point(x=20, y=30), radius_px=1.5, confidence=0.9)
    return face


def _plain_face(person: int, rgb: np.ndarray) -> face_pb2.Face:
    side = rgb.shape[0]
    point = lambda x, y: image_pb2.Point(x=x * side, y=y * side)  # noqa: E731
    return face_pb2.Face(
        box=image_pb2.Box(x0=0.2 * side, y0=0.2 * side, x1=0.8 * side, y1=0.8 * side),
        landmarks=face_pb2.FaceLandmarks(
            left_eye=point(0.35, 0.4),
            right_eye=point(0.65, 0.4),
            nose=point(0.5, 0.55),
            mouth_left=point(0.4, 0.7),
            mouth_right=point(0.6, 0.7),
        ),
        detection_confidence=1.0,
        quality=face_pb2.FaceQuality(
            sharpness=1, exposure=1, size_px=0.6 * side, overall=1, judged=rgb[0, 4, 0] / 100
        ),
        attributes=[
            face_pb2.FaceAttribute(name="sex", value="female", confidence=0.9),
            face_pb2.FaceAttribute(name="age", value="young", confidence=0.8),
            face_pb2.FaceAttribute(name="hair_color", value="red", confidence=0.9),
            face_pb2.FaceAttribute(name="hair_style", value="bob", confidence=0.9),
            face_pb2.FaceAttribute(name="glasses", value="none", confidence=0.1),
        ],
    )


def _faces(rgb: np.ndarray, fakes: Fakes, wanted: Sequence[int] = ()) -> list[face_pb2.Face]:
    count, person = int(rgb[0, 0, 0]), int(rgb[0, 1, 0])
    return [_face(person + position, rgb, fakes, wanted) for position in range(min(count, 3))]


def _refusal(reason: str) -> face_pb2.Refusal:
    return face_pb2.Refusal(reason=reason, message=f"{reason}: said the fake.", metadata={"image": "x"})


class FakeFaceAnalysis(face_analysis_pb2_grpc.FaceAnalysisServiceServicer):
    """Reads the truth from the pixels. A set's person is that of its first photo with one sharp face."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def Analyze(self, request, context):
        if (answer := self._fakes.script.take("Analyze", request)) is not None:
            return answer
        await self._fakes.pause()
        images = []
        for image in request.images:
            rgb = await self._fakes.rgb(image)
            images.append(
                face_analysis_pb2.AnalyzedImage(
                    faces=_faces(rgb, self._fakes, request.features),
                    width_px=rgb.shape[1],
                    height_px=rgb.shape[0],
                )
            )
        return face_analysis_pb2.AnalyzeResponse(images=images)

    async def GetBackend(self, request, context):
        self._fakes.script.take("GetBackend", request)
        return face_analysis_pb2.GetBackendResponse(
            backend="fake", features=self._fakes.features, comparison_model=self._fakes.comparison
        )

    async def CuratePhotos(self, request, context):
        if (answer := self._fakes.script.take("CuratePhotos", request)) is not None:
            return answer
        await self._fakes.pause()
        verdicts, person = [], None
        for position, photo in enumerate(request.photos, start=1):
            verdict, person = await self._judge(photo, f"image {position}", person)
            verdicts.append(verdict)
        accepted = [position for position, verdict in enumerate(verdicts) if verdict.is_accepted]
        return face_analysis_pb2.CuratePhotosResponse(
            photos=verdicts,
            accepted_count=len(accepted),
            attributes=verdicts[accepted[0]].face.attributes if accepted else (),
            template_index=accepted[0] if accepted else -1,
        )

    async def _judge(self, photo, position, person):
        name = photo.name or position
        try:
            rgb = decode_image(await read_bytes(photo, position=name, store=self._fakes.store), name=name)
        except LikenessError as error:
            return face_analysis_pb2.CuratedPhoto(name=name, refusals=[to_refusal(error)]), person
        faces = _faces(rgb, self._fakes)
        who = int(rgb[0, 1, 0])
        if len(faces) != 1:
            reason = "SEVERAL_FACES" if faces else "NO_FACE_FOUND"
        elif not rgb[0, 2, 0]:
            reason = "FACE_TOO_BLURRED"
        elif person is not None and who != person:
            reason = "DIFFERENT_PERSON"
        else:
            reason, person = "", who
        return (
            face_analysis_pb2.CuratedPhoto(
                name=name,
                is_accepted=not reason,
                refusals=[_refusal(reason)] if reason else [],
                face=faces[0] if faces else None,
                similarity_to_set=0.99 if not reason else 0.0,
            ),
            person,
        )


class FakeDiffusion(diffusion_pb2_grpc.DiffusionServiceServicer):
    """Draws noise by seed, of the person that the embeddings or the adapter stand for."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def Generate(self, request, context):
        answer = self._fakes.script.take("Generate", request)
        yield diffusion_pb2.GenerateResponse(queued=diffusion_pb2.Queued(ahead_count=0))
        try:
            for step in range(1, request.step_count + 1):
                await self._fakes.pause()
                done = diffusion_pb2.StepDone(step=step, step_count=request.step_count, batch_row_count=1)
                yield diffusion_pb2.GenerateResponse(step=done)
        except (asyncio.CancelledError, GeneratorExit):
            self._fakes.cancelled.append("Generate")
            raise
        digests = [await self._digest(use) for use in request.adapters]
        data = answer if answer is not None else self._draw(request, digests)
        yield diffusion_pb2.GenerateResponse(
            image=diffusion_pb2.GeneratedImage(
                image=image_pb2.Image(data=data),
                seed=request.seed,
                model_digest=MODEL_DIGEST,
                adapter_digests=digests,
                unfamiliar_words=self._fakes.unfamiliar_words,
            )
        )

    def _draw(self, request, digests) -> bytes:
        vectors = [np.array(item.values) for item in request.identity.embeddings]
        person = int(np.mean(vectors, axis=0).argmax()) if vectors else 0
        side = request.width_px or 64
        words = hashlib.sha256("".join([request.prompt, *digests]).encode()).digest()
        noise = _noise([request.seed, *words[:8]], side)
        return encode_png(_marked(noise, person, 1, likeness=DRAWN_LIKENESS))

    async def _digest(self, use) -> str:
        if use.WhichOneof("source") == "name":
            return hashlib.sha256(use.name.encode()).hexdigest()
        tenant = current_request().tenant
        data = await asyncio.to_thread(self._fakes.store.get, use.artifact.uri, tenant=tenant)
        return hashlib.sha256(data).hexdigest()

    async def ListModels(self, request, context):
        if (answer := self._fakes.script.take("ListModels", request)) is not None:
            return answer
        model = diffusion_pb2.Model(
            name="fake",
            digest=MODEL_DIGEST,
            width_px=256,
            height_px=256,
            max_prompt_tokens=75,
            supports_identity=True,
            identity_dimension=DIMENSION,
            is_default=True,
        )
        return diffusion_pb2.ListModelsResponse(models=[model])

    async def EvictAdapters(self, request, context):
        answer = self._fakes.script.take("EvictAdapters", request)
        return answer or diffusion_pb2.EvictAdaptersResponse(adapter_count=len(request.uris))


class FakeFusion(fusion_pb2_grpc.FusionServiceServicer):
    """Mixes pixels, keeps the truth, ranks by cosine."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def Fuse(self, request, context):
        if (answer := self._fakes.script.take("Fuse", request)) is not None:
            return answer
        await self._fakes.pause()
        rgb = await self._fakes.rgb(request.candidate.image)
        template = await self._fakes.rgb(request.templates[0].image)
        side = min(rgb.shape[0], template.shape[0])
        mixed = rgb.copy()
        mixed[8:side] = (rgb[8:side] // 2) + (np.resize(template, rgb.shape)[8:side] // 2)
        mixed[0, 3] = FUSED_LIKENESS
        face = fusion_pb2.FusedFace(pose_similarity=0.9, expression_similarity=0.8, warp=request.warp)
        return fusion_pb2.FuseResponse(
            image=image_pb2.Image(data=encode_png(mixed)), faces=[face], backend="fake", pose_similarity=0.9
        )

    async def RestoreTexture(self, request, context):
        if (answer := self._fakes.script.take("RestoreTexture", request)) is not None:
            return answer
        rgb = await self._fakes.rgb(request.candidate.image)
        rgb[2] //= 2
        return fusion_pb2.RestoreTextureResponse(
            image=image_pb2.Image(data=encode_png(rgb)), strength=0.4, added_contrast=1.5
        )

    async def RestoreMarks(self, request, context):
        if (answer := self._fakes.script.take("RestoreMarks", request)) is not None:
            return answer
        rgb = await self._fakes.rgb(request.candidate.image)
        x, y = 20, 30
        rgb[y, x] = 0
        mark = fusion_pb2.RestoredMark(
            kind="mole", center=image_pb2.Point(x=x, y=y), radius_px=1.5, confidence=0.9, seen_in=3
        )
        skipped = fusion_pb2.SkippedMark(kind="scar", reason=fusion_pb2.MARK_SKIP_TURNED_AWAY)
        image = image_pb2.Image(data=encode_png(rgb))
        return fusion_pb2.RestoreMarksResponse(image=image, marks=[mark], skipped=[skipped])

    async def Enhance(self, request, context):
        if (answer := self._fakes.script.take("Enhance", request)) is not None:
            return answer
        rgb = await self._fakes.rgb(request.image)
        scaled = np.repeat(np.repeat(rgb, request.scale, axis=0), request.scale, axis=1)
        kept = scaled.copy()
        kept[0, :5] = rgb[0, :5]
        # One pixel says how often it was enhanced, as a real enhancer never leaves a picture as it was.
        kept[1, 0] = rgb[1, 0] // 2
        names = {"enhancer": "fake"} if request.strength > 0 else {}
        if request.scale > 1:
            names["upscaler"] = "fake"
        return fusion_pb2.EnhanceResponse(image=image_pb2.Image(data=encode_png(kept)), **names)

    async def Rank(self, request, context):
        if (answer := self._fakes.script.take("Rank", request)) is not None:
            return answer
        await self._fakes.pause()
        gate = request.identity_gate if request.HasField("identity_gate") else GATE
        models = {item.model for item in request.references}
        assert models == {self._fakes.comparison}, "compared by the comparison embeddings"
        references = np.array([list(item.values) for item in request.references])
        ranked = [self._verdict(item, references, gate) for item in request.candidates]
        ranked.sort(key=lambda item: (item.HasField("rejection"), -item.score, item.candidate_id))
        rank = 0
        for item in ranked:
            if not item.HasField("rejection"):
                rank += 1
                item.rank = rank
        rates = {} if request.HasField("identity_gate") else {"false_accept_rate": 0.001}
        return fusion_pb2.RankResponse(candidates=ranked, identity_gate=gate, **rates)

    def _verdict(self, item, references, gate):
        verdict = fusion_pb2.RankedCandidate(candidate_id=item.candidate_id, best_reference_index=-1)
        if len(item.faces) != 1:
            verdict.rejection.CopyFrom(_refusal("SEVERAL_FACES" if item.faces else "NO_FACE_FOUND"))
            return verdict
        cosines = references @ np.array(item.faces[0].comparison_embedding.values)
        verdict.best_similarity = float(cosines.max())
        verdict.mean_similarity = float(cosines.mean())
        verdict.best_reference_index = int(cosines.argmax())
        verdict.score = max(0.0, verdict.best_similarity)
        if verdict.best_similarity < gate:
            verdict.rejection.CopyFrom(_refusal("BELOW_IDENTITY_GATE"))
        return verdict


class FakeStylization(stylization_pb2_grpc.StylizationServiceServicer):
    """Inverts the colours."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes

    async def ListEffects(self, request, context):
        if (answer := self._fakes.script.take("ListEffects", request)) is not None:
            return answer
        return stylization_pb2.ListEffectsResponse(effects=[stylization_pb2.Effect(name="toon")])

    async def Stylize(self, request, context):
        if (answer := self._fakes.script.take("Stylize", request)) is not None:
            return answer
        await self._fakes.pause()
        rgb = await self._fakes.rgb(request.image)
        return stylization_pb2.StylizeResponse(image=image_pb2.Image(data=encode_png(255 - rgb)))


class FakeTraining(lora_training_pb2_grpc.LoraTrainingServiceServicer):
    """Jobs that advance while they are watched; kept in ``jobs_folder`` where a test kills the process."""

    def __init__(self, fakes: Fakes) -> None:
        self._fakes = fakes
        self._jobs: dict[str, lora_training_pb2.TrainingJob] = {}
        self._seeds: dict[str, str] = {}
        for file in sorted(fakes.jobs_folder.glob("*.json")) if fakes.jobs_folder else []:
            kept = json.loads(file.read_text())
            self._jobs[kept["name"]] = lora_training_pb2.TrainingJob.FromString(bytes.fromhex(kept["job"]))
            self._seeds[kept["name"]] = kept["content"]

    async def CreateTrainingJob(self, request, context):
        if (answer := self._fakes.script.take("CreateTrainingJob", request)) is not None:
            return answer
        name = f"trainingJobs/{hashlib.sha256(request.request_id.encode()).hexdigest()[:16]}"
        if name not in self._jobs:
            options = lora_training_pb2.TrainingOptions(step_count=self._fakes.step_count_trained)
            self._jobs[name] = lora_training_pb2.TrainingJob(
                name=name, subject=request.subject, state=job_pb2.JOB_STATE_RUNNING, options=options
            )
            photos = [await self._fakes.rgb(photo.image) for photo in request.photos]
            content = hashlib.sha256(b"".join(photo.tobytes() for photo in photos))
            content.update(f"{request.options.seed} {request.caption}".encode())
            self._seeds[name] = content.hexdigest()
            self._keep(name)
        return self._jobs[name]

    async def WatchTrainingJob(self, request, context):
        self._fakes.script.take("WatchTrainingJob", request)
        job = self._jobs[request.name]
        yield self._event(job)
        while job.state == job_pb2.JOB_STATE_RUNNING:
            await self._fakes.pause()
            job.steps_done += 1
            job.loss = 1 / job.steps_done
            if job.steps_done == job.options.step_count:
                await self._finish(job)
            self._keep(request.name)
            yield self._event(job)

    async def _finish(self, job) -> None:
        data = f"adapter of {self._seeds[job.name]}".encode()
        media_type = "application/x-safetensors"
        ref = await asyncio.to_thread(
            self._fakes.store.put, data, tenant=current_request().tenant, media_type=media_type
        )
        job.state = job_pb2.JOB_STATE_SUCCEEDED
        job.adapter.base_model_digest = MODEL_DIGEST
        job.adapter.artifact.CopyFrom(
            image_pb2.ArtifactRef(
                uri=ref.uri, sha256=ref.sha256, size_bytes=ref.size_bytes, media_type=media_type
            )
        )

    async def CancelTrainingJob(self, request, context):
        self._fakes.script.take("CancelTrainingJob", request)
        self._jobs[request.name].state = job_pb2.JOB_STATE_CANCELLED
        self._fakes.cancelled.append("CancelTrainingJob")
        return self._jobs[request.name]

    async def DeleteTrainingJob(self, request, context):
        self._fakes.script.take("DeleteTrainingJob", request)
        job = self._jobs.pop(request.name)
        count = 0
        if job.HasField("adapter"):
            tenant = current_request().tenant
            uri = job.adapter.artifact.uri
            count = int(await asyncio.to_thread(self._fakes.store.delete, uri, tenant=tenant))
        return lora_training_pb2.DeleteTrainingJobResponse(artifact_count=count)

    def _event(self, job):
        return lora_training_pb2.TrainingJobEvent(
            sequence=job.steps_done + 1, resume_token=str(job.steps_done), training_job=job
        )

    def _keep(self, name: str) -> None:
        if self._fakes.jobs_folder is not None:
            self._fakes.jobs_folder.mkdir(parents=True, exist_ok=True)
            kept = {
                "name": name,
                "job": self._jobs[name].SerializeToString().hex(),
                "content": self._seeds[name],
            }
            file = self._fakes.jobs_folder / f"{name.split('/')[1]}.json"
            file.write_text(json.dumps(kept))
