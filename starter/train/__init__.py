"""Training: one resumable loop, one module per model."""
