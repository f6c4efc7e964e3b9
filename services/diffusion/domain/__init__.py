"""Shapes and rules of diffusion serving: rows, programs, requests, ports to models. No model library."""
