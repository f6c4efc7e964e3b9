"""What the requests ask to see; the same for every system."""

from loadtests.traffic import LoadRequest

GUIDANCE_SCALE = 3.0
NEGATIVE_PROMPT = ""
_PROMPTS = (
    "portrait of a woman with long brown hair, smiling",
    "portrait of a man with glasses and a beard",
    "a young woman with short black hair, neutral, grey background",
    "an old man with white hair, blue shirt, soft light",
)


def prompt_of(request: LoadRequest) -> str:
    """Returns the request's prompt."""
    return _PROMPTS[request.index % len(_PROMPTS)]
