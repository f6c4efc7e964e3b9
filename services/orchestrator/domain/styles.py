"""Styles: what one says once the defaults of its group are filled in (style_sheets.py)."""

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from services.orchestrator.domain.edits import KeepRules
from services.orchestrator.domain.prompts import split_phrases

PROMPT_SLOTS = frozenset({"person", "skin", "hair", "eyes", "beard", "glasses", "prompt"})
Unit = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StyleAdapter(_Part):
    """A LoRA that the base model ships and this style mixes in."""

    name: str = Field(min_length=1, max_length=128)
    weight: float = Field(default=1.0, ge=-2, le=2)


class IdentityStrength(_Part):
    """How strongly the person shows.

    Attributes:
        adapter_weight: Weight of a trained adapter.
        adapter_apart: Whether a trained adapter goes with the identity tokens, guided and injected as they
            are, instead of with every row.
        token_scale: Scale of the identity tokens.
        guidance_scale: Guidance towards the person, apart from that towards the prompt; None guides both by
            the style's guidance_scale, with a third fewer UNet rows.
        late_from: Share of the steps that pass before the person is added, and then in the face and hair
            alone (late identity injection); None adds the person from the first step on, everywhere.
    """

    adapter_weight: float = Field(default=1.0, ge=0, le=2)
    adapter_apart: bool = False
    token_scale: float = Field(default=1.0, ge=0, le=2)
    guidance_scale: float | None = Field(default=None, ge=0, le=30)
    late_from: Unit | None = None


class FusionStrength(_Part):
    """What is done to a candidate after it was generated.

    Attributes:
        strength: How much of the template face is fused in, times the weight of a region; 0 turns fusion,
            marks and texture off.
        regions: Weights by region; unnamed ones are the fusion service's default (eyes 1, skin 0.6, lips 0).
        warp: How the template face is brought into the candidate: "posed" keeps the person's proportions,
            "landmarks" the candidate's, "similarity" only turns, scales and shifts.
        restore_marks: Put moles, freckles and scars back.
        restore_texture: Bring wrinkles and skin texture back.
        texture_strength: Strength of that; None goes by the person's age.
        enhance_strength: Strength of the enhancer; 0 turns it off.
        keep: When a step is undone again.
    """

    strength: Unit = 1.0
    regions: dict[Literal["eyes", "skin", "lips"], Unit] = Field(default_factory=dict)
    warp: Literal["posed", "landmarks", "similarity"] = "posed"
    restore_marks: bool = True
    restore_texture: bool = True
    texture_strength: Unit | None = None
    enhance_strength: Unit = 0.5
    keep: KeepRules = KeepRules()


class Effect(_Part):
    """A stylization effect that the finished portraits go through."""

    name: str = Field(min_length=1, max_length=64)
    strength: Unit = 1.0


class Style(_Part):
    """A whole style; unknown keys and values out of range are refused.

    Attributes:
        schema_version: Of its file: 1 says everything itself, 2 leaves out what its group says.
        name: Unique, also the file's.
        version: Of its content, to be raised when that changes.
        group: Name of the folder that it lies in; empty where it lies in none.
        tags: Words to find it by.
        prompt: Phrases separated by commas, with slots (PROMPT_SLOTS).
        adapters: LoRAs that the model's folder must have in adapters/, at most seven beside the person's own.
            A file may also say `adapter` for a single one, or null for none.
        effect: What the stylization service does to the winners, after everything was measured.
        face: "optional" for drawings in which no face may be found: a candidate without one may pass, after
            those with one, and checks made for photographs refuse nothing.
        min_similarity: The identity gate itself, in place of one that follows from a false-accept rate.
        preview: A picture in the file's folder; without it the one that was drawn, if any.
    """

    schema_version: Literal[1, 2]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    version: int = Field(ge=1)
    title: str = Field(min_length=1, max_length=80)
    description: str = Field(max_length=500)
    group: str = Field(default="", max_length=64)
    tags: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9 -]{0,31}$")], ...] = ()
    prompt: str = Field(min_length=1, max_length=1000)
    negative_prompt: str = Field(default="", max_length=1000)
    model: str = Field(default="", max_length=128)
    adapters: tuple[StyleAdapter, ...] = Field(default=(), max_length=7)
    identity: IdentityStrength = IdentityStrength()
    sampler: str = Field(default="", max_length=64)
    step_count: int = Field(default=20, ge=1, le=150)
    guidance_scale: float = Field(default=3.0, ge=0, le=30)
    fusion: FusionStrength = FusionStrength()
    effect: Effect | None = None
    face: Literal["needed", "optional"] = "needed"
    min_similarity: float | None = Field(default=None, ge=-1, le=1)
    false_accept_rate: float | None = Field(default=None, gt=0, lt=1)
    licence: str = Field(min_length=1, max_length=200)
    preview: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_adapter(cls, said: Any) -> Any:
        if not isinstance(said, dict) or "adapter" not in said:
            return said
        if said.get("adapters"):
            raise ValueError("adapter and adapters are two ways to say one thing")
        only = said["adapter"]
        return {key: value for key, value in said.items() if key != "adapter"} | {
            "adapters": [] if only is None else [only]
        }

    @field_validator("prompt")
    @classmethod
    def _slots_are_known(cls, prompt: str) -> str:
        unknown = set(re.findall(r"\{(\w*)\}", prompt)) - PROMPT_SLOTS
        if unknown:
            raise ValueError(f"unknown slots {sorted(unknown)}; known are {sorted(PROMPT_SLOTS)}")
        phrases = split_phrases(prompt)  # A weight out of range is a ValueError, too.
        if "{prompt}" in prompt and "{prompt}" not in phrases:
            raise ValueError("{prompt} must be a phrase of its own, between commas and without a weight")
        return prompt

    @property
    def sha256(self) -> str:
        """SHA-256, hexadecimal, over all that it says, however that is spread over files; not the preview."""
        said = self.model_dump(mode="json", exclude={"schema_version", "preview"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _one_gate(self) -> "Style":
        if self.min_similarity is not None and self.false_accept_rate is not None:
            raise ValueError("min_similarity and false_accept_rate are two ways to say one thing")
        if self.face == "optional" and self.min_similarity != -1:
            raise ValueError(
                "face: optional needs min_similarity: -1, or a face that is found has to be alike"
            )
        return self
