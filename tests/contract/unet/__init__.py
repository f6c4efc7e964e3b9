"""The promises of the UNetBackend port, on every backend that can run here.

A package, so that the fixtures of its conftest last as long as this folder: each backend is opened once.
"""
