"""Evaluation and benchmark of fusion, restoration and ranking."""
