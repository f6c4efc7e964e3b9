"""The starter pack's networks, each a stock class of diffusers or transformers."""
