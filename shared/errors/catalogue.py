"""One table: reason -> status, public text (fact, then remedy) and the metadata that fills it."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType

from shared.errors.reasons import ErrorReason as R


@dataclass(frozen=True)
class ErrorSpec:
    """How one reason is told to a caller.

    *status* is the name of a gRPC status code (the catalogue itself does not need grpc). *fact* and
    *remedy* are `str.format` templates; *fields* are exactly the names they use.
    """

    status: str
    fact: str
    remedy: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The metadata keys that an error of this reason must be given, in order of appearance."""
        names = (name for _, name, _, _ in Formatter().parse(f"{self.fact} {self.remedy}") if name)
        return tuple(dict.fromkeys(names))


_IMAGES = {
    R.IMAGE_UNREADABLE: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} is not an image that can be read.",
        "Send a PNG, JPEG, WebP, BMP or TIFF file.",
    ),
    R.IMAGE_TRUNCATED: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} ends before the picture is complete.",
        "Send the whole file again.",
    ),
    R.IMAGE_TOO_LARGE: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} has {size}; the limit is {limit}.",
        "Send a smaller, still picture.",
    ),
    R.IMAGE_FORMAT_UNSUPPORTED: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} is a {format} file, which is not supported.",
        "Send it as JPEG or PNG: {advice}.",
    ),
}

_FACES = {
    R.NO_FACE_FOUND: ErrorSpec(
        "INVALID_ARGUMENT",
        "No face of at least {min_face_px} px in {image}.",
        "Send a larger crop in which the whole face can be seen.",
    ),
    R.SEVERAL_FACES: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} shows {count} faces.",
        "Crop it to the one person that is meant.",
    ),
    R.FACE_NOT_IN_PICTURE: ErrorSpec(
        "INVALID_ARGUMENT",
        "There is no {face} in {image}, which shows {count}.",
        "Name one that it shows: positions count from 0, from left to right.",
    ),
    R.FACE_TOO_SMALL: ErrorSpec(
        "INVALID_ARGUMENT",
        "The face in {image} is {size_px} px high; {min_px} px are needed.",
        "Send the photo in full resolution, or a closer one.",
    ),
    R.FACE_TOO_BLURRED: ErrorSpec(
        "INVALID_ARGUMENT",
        "The face in {image} is blurred (sharpness {sharpness}, needed {min_sharpness}).",
        "Send a photo that is in focus and taken with a steady hand.",
    ),
    R.FACE_BADLY_EXPOSED: ErrorSpec(
        "INVALID_ARGUMENT",
        "The face in {image} is badly exposed ({exposure}, needed {allowed}).",
        "Send a photo with even light on the face.",
    ),
    R.FACE_TURNED_AWAY: ErrorSpec(
        "INVALID_ARGUMENT",
        "The face in {image} is turned away by {angle_deg} degrees; at most {max_deg} are usable.",
        "Send a photo in which the person faces the camera more.",
    ),
    R.FACE_LOW_CONFIDENCE: ErrorSpec(
        "INVALID_ARGUMENT",
        "The face in {image} is uncertain (confidence {confidence}, needed {min_confidence}).",
        "Send a photo without sunglasses, mask or hand in front of the face.",
    ),
    R.DIFFERENT_PERSON: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} shows another person than the rest of the set (similarity {similarity}, needed "
        "{min_similarity}).",
        "Remove it, or make a second identity of it.",
    ),
    R.DUPLICATE_PHOTO: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} is the same picture as {other}.",
        "Send a different photo; more variety gives a closer likeness.",
    ),
    R.BELOW_IDENTITY_GATE: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} is not alike enough to the references (similarity {similarity}, gate {gate}).",
        "Add reference photos, train an adapter, or make more candidates.",
    ),
    R.NEAR_DUPLICATE: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} looks the same as {other}, which ranks higher.",
        "Use another seed for more variety.",
    ),
    R.PICTURE_DEFECT: ErrorSpec(
        "INVALID_ARGUMENT",
        "{image} is unfit: {defect}.",
        "Make another candidate with a new seed.",
    ),
    R.NO_USABLE_PHOTO: ErrorSpec(
        "FAILED_PRECONDITION",
        "None of the {count} photos can be used: {refusals}.",
        "Send at least one sharp, well lit photo of one person who faces the camera.",
    ),
    R.EMPTY_PHOTO_SET: ErrorSpec(
        "INVALID_ARGUMENT",
        "No photo was given.",
        "Send at least one photo of the person.",
    ),
    R.NO_CANDIDATE_PASSED: ErrorSpec(
        "FAILED_PRECONDITION",
        "None of {count} candidates passed: {rejections}. The identity gate is {gate}, the best similarity "
        "{best_similarity}.",
        "Add reference photos, train an adapter, or ask for more candidates; where no face is found, choose "
        "a style that is drawn more plainly.",
    ),
}

_NAMES = {
    R.UNKNOWN_STYLE: ErrorSpec(
        "NOT_FOUND", "There is no style {style}.", "Choose one of the listed styles: {known}."
    ),
    R.UNKNOWN_IDENTITY: ErrorSpec(
        "NOT_FOUND", "There is no identity {identity}.", "List the identities, or create it first."
    ),
    R.UNKNOWN_PORTRAIT: ErrorSpec(
        "NOT_FOUND", "There is no portrait {portrait}.", "List the portraits, or create it first."
    ),
    R.UNKNOWN_TRAINING_JOB: ErrorSpec(
        "NOT_FOUND", "There is no training job {training_job}.", "List the jobs, or create it first."
    ),
    R.UNKNOWN_MODEL: ErrorSpec(
        "NOT_FOUND", "There is no model {model} on this server.", "Choose one of the listed models: {known}."
    ),
    R.UNKNOWN_ADAPTER: ErrorSpec(
        "NOT_FOUND", "There is no adapter {adapter}.", "Train it, or store its file as an artifact first."
    ),
    R.UNKNOWN_ARTIFACT: ErrorSpec(
        "NOT_FOUND",
        "There is no artifact {artifact}.",
        "Upload it again; deleting its owner removed it.",
    ),
}

_REQUESTS = {
    R.ADAPTER_INCOMPATIBLE: ErrorSpec(
        "FAILED_PRECONDITION",
        "Adapter {adapter} does not fit the base model: {cause}.",
        "Use the model it was trained on, or train it again.",
    ),
    R.PROMPT_TOO_LONG: ErrorSpec(
        "INVALID_ARGUMENT",
        "The {field} has {tokens} tokens; the model reads {limit}.",
        "Shorten it.",
    ),
    R.VALUE_OUT_OF_RANGE: ErrorSpec(
        "INVALID_ARGUMENT", "{field} is {value}, outside {range}.", "Send a value within the range."
    ),
    R.FIELD_INVALID: ErrorSpec(
        "INVALID_ARGUMENT", "{field}: {problem}.", "Correct the field and send the request again."
    ),
    R.REQUEST_ID_REUSED: ErrorSpec(
        "ALREADY_EXISTS",
        "request_id {request_id} was used before with another body.",
        "Send a new request_id for a new request.",
    ),
    R.PAGE_TOKEN_INVALID: ErrorSpec(
        "INVALID_ARGUMENT",
        "The page_token does not belong to this listing.",
        "Start again without a page_token.",
    ),
    R.UPLOAD_BROKEN: ErrorSpec(
        "INVALID_ARGUMENT", "The upload is not usable: {cause}.", "Upload again from the first byte."
    ),
    R.MESSAGE_TOO_LARGE: ErrorSpec(
        "RESOURCE_EXHAUSTED",
        "A message is larger than this server or client accepts: {cause}.",
        "Send large images by upload, as artifact references.",
    ),
    R.ILLEGAL_STATE: ErrorSpec(
        "FAILED_PRECONDITION",
        "{resource} is {state}, so it cannot be {action}.",
        "Read its state and act on that.",
    ),
    R.HISTORY_GONE: ErrorSpec(
        "OUT_OF_RANGE",
        "The events after this resume_token are no longer kept.",
        "Watch again with an empty resume_token: the first event is the present state.",
    ),
}

_LIFE_CYCLE = {
    R.DEADLINE_TOO_SHORT: ErrorSpec(
        "DEADLINE_EXCEEDED",
        "The deadline leaves {remaining_s} s; this call needs at least {needed_s} s.",
        "Send the call again with a later deadline.",
    ),
    R.DEADLINE_EXCEEDED: ErrorSpec(
        "DEADLINE_EXCEEDED",
        "The deadline passed before the work was done.",
        "Send the call again with a later deadline.",
    ),
    R.CANCELLED: ErrorSpec(
        "CANCELLED", "The work was cancelled.", "Send the call again if this was not meant."
    ),
    R.QUEUE_FULL: ErrorSpec(
        "RESOURCE_EXHAUSTED",
        "{queue} already has {limit} calls waiting.",
        "Try again after the delay given in RetryInfo.",
    ),
    R.NOT_WARM: ErrorSpec(
        "UNAVAILABLE", "{service} is still loading.", "Try again when its health check says SERVING."
    ),
    R.DRAINING: ErrorSpec(
        "UNAVAILABLE",
        "This server is shutting down.",
        "Try again: another server may answer.",
    ),
    R.UNREACHABLE: ErrorSpec(
        "UNAVAILABLE",
        "The server cannot be reached: {cause}.",
        "Check its address, and that it runs.",
    ),
}

_SERVER = {
    R.MODEL_MISSING: ErrorSpec(
        "FAILED_PRECONDITION",
        "The model file {file} (licence: {licence}) is not on this server.",
        "Get it with: {command}",
    ),
    R.CAPABILITY_UNAVAILABLE: ErrorSpec(
        "UNIMPLEMENTED", "This server cannot do {capability}.", "To enable it: {needed}."
    ),
    R.TRAINING_FAILED: ErrorSpec(
        "INTERNAL",
        "Training job {training_job} failed: {cause}.",
        "Start it again; its checkpoints are kept.",
    ),
    R.INTERNAL: ErrorSpec(
        "INTERNAL",
        "The server failed. Error id {error_id}.",
        "Try again; if it happens again, report the id.",
    ),
}

CATALOGUE: Mapping[R, ErrorSpec] = MappingProxyType(
    {**_IMAGES, **_FACES, **_NAMES, **_REQUESTS, **_LIFE_CYCLE, **_SERVER}
)
