"""Fusion as it was, and as others do it, with the means of the same service."""

from loadtests.common.services import Seen
from loadtests.fusion.chain import Chain, five_points_only
from loadtests.fusion.looks import References
from services.orchestrator.domain.styles import FusionStrength


def five_points(chain: Chain, candidate: Seen, references: References, strength: FusionStrength) -> Seen:
    """The way before structure was read: five points, a similarity transform, no part map, even weights."""
    old = strength.model_copy(
        update={"warp": "similarity", "regions": {"eyes": 1.0, "skin": 1.0, "lips": 1.0}}
    )
    templates = [five_points_only(photo) for photo in references.photos]
    return chain.fuse_with(five_points_only(candidate), templates, old)


def one_template(chain: Chain, candidate: Seen, references: References, strength: FusionStrength) -> Seen:
    """FaceChain's choice: the photo of the best quality is the template of all candidates."""
    return chain.fuse_with(candidate, [best_photo(references)], strength)


def best_photo(references: References) -> Seen:
    """Returns the photo whose face has the best quality (FaceChain: argmax of a quality net)."""
    return max(references.photos, key=_quality)


def _quality(photo: Seen) -> float:
    assert photo.only is not None, "references have one face each"
    quality = photo.only.quality
    return quality.judged if quality.HasField("judged") else quality.overall
