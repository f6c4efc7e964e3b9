"""`make bench-engine`: the diffusion engine against diffusers, on one machine with the same weights."""
