"""Trains the stylizer: a small U-Net from renders and photos to toon drawings."""
