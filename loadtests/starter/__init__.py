"""Evaluation of the starter pack, after the protocol of the published work."""
