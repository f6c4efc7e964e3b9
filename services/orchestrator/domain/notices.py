"""What the caller should know of how a portrait came about, in plain sentences."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from services.orchestrator.domain.edits import Step
from services.orchestrator.domain.faces import Feature
from services.orchestrator.domain.portrait import Candidate, PortraitSpec
from services.orchestrator.domain.stages import Ranking


def missing_features(missing: Collection[Feature], steps: Collection[Step]) -> tuple[str, ...]:
    """Say what was done less well, or not at all, because face analysis lacks a net.

    Args:
        missing: Features that are not installed.
        steps: The steps that were wanted.
    """
    notices = []
    if Feature.STRUCTURE in missing:
        without = " and the texture of the skin was not restored" if Step.RESTORE_TEXTURE in steps else ""
        notices.append(
            f"No net for the structure of faces is installed: faces were fused by five landmarks{without}. "
            "Install the starter pack's structure net."
        )
    if Feature.MARKS in missing and Step.RESTORE_MARKS in steps:
        notices.append(
            "No net for marks of the skin is installed: moles were looked for as dark spots. Install the "
            "starter pack's marks net."
        )
    return tuple(notices)


def unknown_words(words: Iterable[str]) -> tuple[str, ...]:
    """Say which words of the prompt, the style's included, the model can hardly know; nothing without any."""
    named = ", ".join(f'"{word}"' for word in dict.fromkeys(words))
    if not named:
        return ()
    return (
        f"The model was not taught these words of the prompt, so they do little: {named}. Say it in words "
        "that the model knows; its card lists what it was trained on.",
    )


def rejections(ranked: Iterable[Candidate]) -> str:
    """Count the reasons for which candidates were rejected, the most frequent first: "3 NO_FACE_FOUND"."""
    reasons = Counter(candidate.rejection.reason for candidate in ranked if candidate.rejection)
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())


def shortfall(spec: PortraitSpec, ranking: Ranking, ranked: Sequence[Candidate]) -> tuple[str, ...]:
    """Say why fewer portraits are returned than were asked for; nothing where there are enough.

    Args:
        spec: What was asked for.
        ranking: The last ranking.
        ranked: All candidates that were made.
    """
    passed = ranking.accepted_count
    if passed >= spec.portrait_count:
        return ()
    rejected = sum(candidate.rejection is not None for candidate in ranked)
    rate = ranking.false_accept_rate
    strangers = f", which lets {rate:.2%} of strangers pass" if rate is not None else ""
    best = max((verdict.best_similarity for verdict in ranking.verdicts), default=0.0)
    return (
        f"{passed} of {spec.portrait_count} portraits: {len(ranked)} candidates were made, the budget of "
        f"{spec.candidate_budget} is spent, and {rejected} were rejected ({rejections(ranked)}). The "
        f"identity gate is a similarity of {ranking.identity_gate:.3f}{strangers}; the best candidate "
        f"reached {best:.3f}. More reference photos, training, or a larger candidate_count help.",
    )
