"""The ways of making a portrait that are compared: a table, one entry each."""

from dataclasses import dataclass

from likeness.diffusion.v1 import diffusion_pb2 as pb

STEPS, GUIDANCE, SAMPLER = 20, 3.0, "dpmpp_2m"
"""How every picture is sampled."""


@dataclass(frozen=True)
class Method:
    """One way of making a portrait.

    Attributes:
        key: name in the JSON report and on files.
        title: name in tables and headings.
        uses_tokens: whether the request carries the person's embeddings.
        uses_adapter: whether an adapter is trained of the person first; costly, so of few people.
        late_from: share of the steps before the person is added, in face and hair alone; None: everywhere
            from the first step.
        goal: least verification accuracy by the held-out embedder; None has no bar.
    """

    key: str
    title: str
    uses_tokens: bool = True
    uses_adapter: bool = False
    late_from: float | None = None
    goal: float | None = None

    @property
    def has_identity(self) -> bool:
        """Whether the person takes part at all."""
        return self.uses_tokens or self.uses_adapter


TEXT = Method("text", "text to image (nobody)", uses_tokens=False)
LATE = Method("late", "late injection", late_from=0.2, goal=0.85)
METHODS = (
    TEXT,
    Method("ip_adapter", "IP-Adapter from step 0", goal=0.85),
    LATE,
    Method("lora", "LoRA, with tokens", uses_adapter=True, goal=0.92),
)
"""What is compared; `TEXT` comes first, as the others are held against it."""


def chosen(keys: str | None) -> tuple[Method, ...]:
    """Returns the methods of "ip_adapter,late", and `TEXT`. Raises: ValueError for an unknown one."""
    if keys is None:
        return METHODS
    wanted = {key.strip() for key in keys.split(",")}
    known = {method.key for method in METHODS}
    if wanted - known:
        raise ValueError(
            f"--methods: {', '.join(sorted(wanted - known))} is unknown; known: {', '.join(sorted(known))}"
        )
    return tuple(method for method in METHODS if method.key in wanted | {TEXT.key})


def fill(request: pb.GenerateRequest, method: Method) -> None:
    """Sets what sampling and injection of a method need in a request."""
    request.step_count, request.guidance_scale, request.sampler = STEPS, GUIDANCE, SAMPLER
    if method.late_from is not None:
        request.late_injection.start_share = method.late_from
