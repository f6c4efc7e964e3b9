"""Implementations of the ports: torch and diffusers, files and artifacts, and the deterministic fake."""
