"""Diffusion service: pictures from prompts, identities and adapters, batched row by row."""
