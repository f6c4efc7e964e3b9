"""Messages of a watch."""

from likeness.orchestrator.v1 import orchestrator_pb2 as pb

from services.orchestrator.domain.events import CandidateNews, StepNews
from services.orchestrator.domain.portrait import Portrait
from services.orchestrator.engine.watch import WatchItem
from services.orchestrator.messages.basics import to_stage, to_time
from services.orchestrator.messages.portraits import to_candidate, to_portrait


def to_event(item: WatchItem) -> pb.PortraitEvent:
    """Convert one message of a watch."""
    event = pb.PortraitEvent(sequence=item.sequence, resume_token=item.resume_token, time=to_time(item.time))
    match item.news:
        case Portrait():
            event.portrait.CopyFrom(to_portrait(item.news))
        case StepNews():
            event.step.CopyFrom(_to_step(item.news))
        case CandidateNews():
            event.candidate.candidate.CopyFrom(to_candidate(item.news.candidate))
            event.candidate.stage = to_stage(item.news.stage)
            if item.thumbnail is not None:
                event.candidate.thumbnail.data = item.thumbnail
    return event


def _to_step(news: StepNews) -> pb.StepProgress:
    message = pb.StepProgress(
        stage=to_stage(news.stage),
        steps_done=news.steps_done,
        step_count=news.step_count,
        candidate_id=news.candidate_id,
        detail=news.detail,
    )
    if news.preview is not None:
        message.preview.data = news.preview
    return message
