"""Trains identity and style adapters (LoRA) for Stable Diffusion folders."""
