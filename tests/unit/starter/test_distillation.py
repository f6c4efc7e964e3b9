"""What a student of few steps is taught, with teachers whose paths are known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from starter.models.unet import training_schedule
from starter.train.distillation import CLEAN, Segments, target_velocity

ALPHAS = training_schedule().alphas_cumprod
SEGMENTS = Segments(ALPHAS, count=8, fine=40)
LEVELS = SEGMENTS.timesteps()


class _OnePicture:
    """The best velocity where all data is one picture: from any noisy sample the path ends in it."""

    def __init__(self, picture: Tensor) -> None:
        self.picture = picture

    def __call__(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        signal, noise = SEGMENTS.signal_and_noise(timesteps)
        guess = (noisy - signal * self.picture) / noise
        return signal * guess - noise * self.picture


def _noisy(count: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    timesteps = LEVELS[torch.randint(0, len(LEVELS), (count,), generator=rng)]
    picture, noise = (torch.randn(count, 2, 3, 3, generator=rng) for _ in range(2))
    signal, amplitude = SEGMENTS.signal_and_noise(timesteps)
    return picture, signal * picture + amplitude * noise, timesteps


def test_segments_start_at_the_timesteps_of_a_trailing_ddim_sampler() -> None:
    from diffusers import DDIMScheduler

    sampler = DDIMScheduler(timestep_spacing="trailing")
    sampler.set_timesteps(SEGMENTS.count)
    ends = SEGMENTS.end(LEVELS)
    assert sorted(set(ends.tolist()), reverse=True) == [*sampler.timesteps.tolist()[1:], CLEAN]
    assert (ends < LEVELS).all()
    assert (SEGMENTS.after(LEVELS) >= ends).all()


def test_steps_that_do_not_divide_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="divide"):
        Segments(ALPHAS, count=7, fine=40)


def test_a_jump_is_what_a_ddim_sampler_does() -> None:
    from diffusers import DDIMScheduler

    sampler = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
    )
    sampler.set_timesteps(SEGMENTS.count)
    noisy, velocity = torch.randn(2, 1, 2, 3, 3)
    for start, end in zip(sampler.timesteps, [*sampler.timesteps[1:], torch.tensor(CLEAN)], strict=True):
        theirs = sampler.step(velocity, start, noisy).prev_sample
        assert torch.allclose(SEGMENTS.jump(noisy, velocity, start[None], end[None]), theirs, atol=1e-4)


@given(st.integers(0, 2**31), st.integers(1, 8))
def test_the_velocity_of_a_jump_leads_where_the_jump_led(seed: int, count: int) -> None:
    _, noisy, start = _noisy(count, seed)
    velocity = torch.randn(noisy.shape, generator=torch.Generator().manual_seed(seed))
    end = SEGMENTS.end(start)
    landed = SEGMENTS.jump(noisy, velocity, start, end)
    assert torch.allclose(SEGMENTS.velocity_of_jump(noisy, landed, start, end), velocity, atol=1e-3)


def test_a_jump_to_the_clean_sample_is_the_estimate_of_it() -> None:
    picture, noisy, start = _noisy(6)
    clean = SEGMENTS.jump(noisy, _OnePicture(picture)(noisy, start), start, torch.full((6,), CLEAN))
    assert torch.allclose(clean, picture, atol=1e-4)


def test_a_teacher_whose_paths_are_straight_is_a_fixed_point() -> None:
    """A student that equals it is taught to stay as it is, wherever in the segment it is asked."""
    picture, noisy, timesteps = _noisy(32)
    perfect = _OnePicture(picture)

    def student(samples: Tensor, levels: Tensor) -> Tensor:
        rows = (SEGMENTS.after(timesteps) > SEGMENTS.end(timesteps)).nonzero().flatten()
        return _OnePicture(picture[rows])(samples, levels)

    target = target_velocity(SEGMENTS, noisy, timesteps, perfect, student)
    assert torch.allclose(target, perfect(noisy, timesteps), atol=1e-3)


def test_at_the_end_of_a_segment_the_teacher_alone_decides() -> None:
    """The boundary: without it a constant student would be taught by nobody but itself."""
    last = LEVELS[SEGMENTS.after(LEVELS) == SEGMENTS.end(LEVELS)]
    noisy = torch.randn(len(last), 2, 3, 3)

    def never(_samples: Tensor, _levels: Tensor) -> Tensor:
        raise AssertionError("the student is asked about a sample that has arrived")

    target = target_velocity(SEGMENTS, noisy, last, lambda x, _: 0.3 * x, never)
    assert len(last) == SEGMENTS.count
    assert torch.allclose(target, 0.3 * noisy, atol=1e-4)


def test_with_as_many_segments_as_teacher_steps_only_guidance_is_distilled() -> None:
    segments = Segments(ALPHAS, count=40, fine=40)
    noisy = torch.randn(40, 2, 3, 3)
    target = target_velocity(segments, noisy, segments.timesteps(), lambda x, _: 0.5 * x, lambda x, _: x)
    assert torch.allclose(target, 0.5 * noisy, atol=1e-3)


class _Student(nn.Module):
    """One velocity for each level: enough for a teacher that knows one picture and starts from one noise."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(len(ALPHAS), 1))

    def forward(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        return self.table[timesteps].view(-1, 1, 1, 1) * noisy


def test_a_toy_student_learns_to_jump() -> None:
    """Teacher: v = c(t) x, so that every path is known; 8 jumps must reach what its 40 steps reach."""
    student = _Student()
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)

    def teacher(noisy: Tensor, timesteps: Tensor) -> Tensor:
        return (timesteps / 1000).view(-1, 1, 1, 1) * noisy

    losses = []
    for _ in range(300):
        noisy = torch.ones(len(LEVELS), 1, 1, 1)
        with torch.no_grad():
            target = target_velocity(SEGMENTS, noisy, LEVELS, teacher, student)
        loss = (student(noisy, LEVELS) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 1e-4 * losses[0]
    slow = fast = torch.ones(1, 1, 1, 1)
    with torch.no_grad():
        for level in LEVELS:
            slow = SEGMENTS.jump(slow, teacher(slow, level[None]), level[None], SEGMENTS.after(level[None]))
        for level in LEVELS[:: len(LEVELS) // SEGMENTS.count]:
            fast = SEGMENTS.jump(fast, student(fast, level[None]), level[None], SEGMENTS.end(level[None]))
    assert abs(float(fast - slow)) < 0.01 * abs(float(slow - 1))
