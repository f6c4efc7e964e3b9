"""Mechanics that every service uses: nothing in here knows faces, portraits or models."""
