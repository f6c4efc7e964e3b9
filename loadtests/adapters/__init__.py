"""Experiments that decide which adapters of the starter pack are shipped and used."""
